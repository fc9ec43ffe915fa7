// The one file that a zip archive holds.
#pragma once

#include "dataset/source.h"

namespace lo::dataset {

// What the one file in `packed`, a zip archive, holds; folders and what macOS adds do not count. Nothing is written, the archive is read from
// one end to the other. Code::unsupported_media for a spreadsheet or an encrypted file; Code::unacceptable for no file, more than one
// (said when the first has been read), and damage. bytes_taken and bytes_total are those of `packed`.
Source read_zip(Source packed);

}  // namespace lo::dataset
