// SPDX-License-Identifier: Apache-2.0
#include "control/curl/curl_loop.h"

#include <cassert>
#include <utility>

#include <openssl/ssl.h>

namespace pollux::control {
namespace {

// Bytes that libcurl reads at once; what a peer sends is judged in pieces of this size.
constexpr long kReadBuffer = 16384;

CURLcode use_store(CURL* /*transfer*/, void* context, void* store) {
    SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
    return CURLE_OK;
}

}  // namespace

CurlLoop::CurlLoop(EventLoop& loop)
    : loop_(&loop),
      multi_((curl_global_init(CURL_GLOBAL_DEFAULT), curl_multi_init())),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    assert(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    // Each transfer has a connection of its own that ends with it.
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

CurlLoop::~CurlLoop() {
    while (!running_.empty()) remove(running_.begin()->first);
    curl_multi_cleanup(multi_);
}

void CurlLoop::add(CURL* transfer, Done done) {
    running_[transfer] = std::move(done);
    curl_multi_add_handle(multi_, transfer);
}

void CurlLoop::remove(CURL* transfer) {
    if (running_.erase(transfer) == 0) return;
    curl_multi_remove_handle(multi_, transfer);
}

int CurlLoop::on_socket(CURL* /*transfer*/, curl_socket_t socket, int what, void* self,
                        void* /*data*/) {
    static_cast<CurlLoop*>(self)->watch(socket, what);
    return 0;
}

int CurlLoop::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
    Timer& timer = static_cast<CurlLoop*>(self)->timer_;
    if (timeout_ms < 0) {
        timer.cancel();
    } else {
        timer.start_once(std::chrono::milliseconds(timeout_ms));
    }
    return 0;
}

void CurlLoop::watch(curl_socket_t socket, int what) {
    if (what == CURL_POLL_REMOVE) {
        watches_.erase(socket);
        return;
    }
    std::unique_ptr<FdWatch>& entry = watches_[socket];
    if (!entry) entry = std::make_unique<FdWatch>(*loop_, socket);
    const auto callback = [this, socket](int event) {
        return [this, socket, event] { act(socket, event); };
    };
    entry->on_readable((what & CURL_POLL_IN) != 0 ? EventLoop::Callback(callback(CURL_CSELECT_IN))
                                                  : EventLoop::Callback());
    entry->on_writable((what & CURL_POLL_OUT) != 0 ? EventLoop::Callback(callback(CURL_CSELECT_OUT))
                                                   : EventLoop::Callback());
}

void CurlLoop::act(curl_socket_t socket, int events) {
    int still_running = 0;
    curl_multi_socket_action(multi_, socket, events, &still_running);
    collect();
}

void CurlLoop::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* transfer = message->easy_handle;
        const CURLcode code = message->data.result;
        const auto found = running_.find(transfer);
        if (found == running_.end()) continue;
        const Done done = std::move(found->second);
        running_.erase(found);
        curl_multi_remove_handle(multi_, transfer);
        done(code);
    }
}

CurlList append(CurlList list, const std::string& line) {
    curl_slist* grown = curl_slist_append(list.release(), line.c_str());
    assert(grown != nullptr);
    return CurlList(grown);
}

void set_common_options(CURL* transfer, const char* protocols) {
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer, CURLOPT_PROXY, "");
    curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(transfer, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(transfer, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(transfer, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(transfer, CURLOPT_BUFFERSIZE, kReadBuffer);
    curl_easy_setopt(transfer, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    // libcurl would verify all transfers of a loop against the first one's certificates.
    curl_easy_setopt(transfer, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(transfer, CURLOPT_TCP_NODELAY, 1L);
}

void verify_against(CURL* transfer, X509_STORE* store) {
    curl_easy_setopt(transfer, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(transfer, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(transfer, CURLOPT_SSL_CTX_FUNCTION, &use_store);
    curl_easy_setopt(transfer, CURLOPT_SSL_CTX_DATA, store);
}

}  // namespace pollux::control
