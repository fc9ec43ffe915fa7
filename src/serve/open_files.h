// How many files, and so connections, this process may have open.
#pragma once

#include <cstddef>

namespace lo::serve {

// Takes as many as the machine allows (the hard limit) and gives how many that are. What it starts later inherits this.
std::size_t raise_open_files();

// How many connections the server takes with so many open files: what is left beside those of everything else it does.
std::size_t connections_within(std::size_t open_files);

}  // namespace lo::serve
