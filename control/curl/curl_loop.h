// SPDX-License-Identifier: Apache-2.0
#pragma once

// CurlLoop: libcurl's multi interface on the control loop: transfers that never block. For HTTP
// only: libcurl's SMTP waits within its calls (see control/mail/mail_delivery.h). Control thread.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "control/loop/event_loop.h"

namespace pollux::control {

class CurlLoop {
  public:
    using Done = std::function<void(CURLcode)>;

    explicit CurlLoop(EventLoop& loop);
    ~CurlLoop();
    CurlLoop(const CurlLoop&) = delete;
    CurlLoop& operator=(const CurlLoop&) = delete;

    // Starts a transfer that its owner has set up. `done` comes later from the loop, when the
    // transfer has been taken out. The handle stays the owner's.
    void add(CURL* transfer, Done done);
    // Ends a transfer without `done`. Not from within one of its callbacks.
    void remove(CURL* transfer);

    [[nodiscard]] std::size_t running() const { return running_.size(); }

  private:
    static int on_socket(CURL* transfer, curl_socket_t socket, int what, void* self, void* data);
    static int on_timer(CURLM* multi, long timeout_ms, void* self);
    void watch(curl_socket_t socket, int what);
    void act(curl_socket_t socket, int events);
    void collect();

    EventLoop* loop_;
    CURLM* multi_;
    Timer timer_;
    std::map<curl_socket_t, std::unique_ptr<FdWatch>> watches_;
    std::map<CURL*, Done> running_;
};

// Owns a transfer's handle.
struct CurlDeleter {
    void operator()(CURL* transfer) const { curl_easy_cleanup(transfer); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;

struct CurlListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;
// Appends a line; takes the list over and gives it back.
[[nodiscard]] CurlList append(CurlList list, const std::string& line);

// What all transfers have in common: no signals, no proxy from the environment, no redirects, no
// reuse of connections, no decompression, `protocols` only.
void set_common_options(CURL* transfer, const char* protocols);

// TLS: the peer is verified against this store, and no other certificate. It outlives the transfer.
void verify_against(CURL* transfer, X509_STORE* store);

}  // namespace pollux::control
