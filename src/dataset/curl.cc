#include "dataset/curl.h"

#include <sys/socket.h>

namespace lo::dataset {

bool start_curl() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return started;
}

void restrict_to_web(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // keeps libcurl from asking the environment
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "learning-orchestra/" ORCHESTRA_VERSION);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

std::optional<std::string> header_of(CURL* easy, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return std::nullopt;
  return header->value;
}

void AddressGuard::watch(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &AddressGuard::on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
}

curl_socket_t AddressGuard::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& guard = *static_cast<AddressGuard*>(self);
  auto allowed = check_address(address->addr, guard.policy_);
  if (!allowed) {
    guard.refused_ = allowed.error();
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace lo::dataset
