"""file_server.py FILE [TIMES]: gives the file to whoever asks, by the kernel's own copying, on a port that it prints. With TIMES, what follows its
first line comes so often: a large file that needs no room on the disk."""

import http.server
import os
import pathlib
import sys

TIMES = int(sys.argv[2]) if len(sys.argv) > 2 else 1


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[1], "rb") as file:
            size, head = os.fstat(file.fileno()).st_size, len(file.readline())
            self.send_response(200)
            self.send_header("Content-Length", str(head + (size - head) * TIMES))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(file, 0, head)
            for _ in range(TIMES):
                self.connection.sendfile(file, head)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}/{pathlib.Path(sys.argv[1]).name}", flush=True)
server.serve_forever()
