// SPDX-License-Identifier: Apache-2.0
// HTTP_GET and SSL_GET: pages fetched through libcurl, each over a connection of its own.

#include <algorithm>
#include <array>

#include <openssl/ssl.h>

#include "control/curl/curl_loop.h"
#include "control/curl/trust_stores.h"
#include "control/health/page_judge.h"
#include "control/health/probe_table.h"
#include "control/spec/server_states.h"

namespace pollux::control {
namespace {

constexpr const char* kUserAgent = "Pollux";
constexpr long kNoLimitMs = 24L * 3600 * 1000;

bool has_control_character(const std::string& text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// "www.example.com:8080" -> "www.example.com".
std::string without_port(const std::string& host) {
    const auto colon = host.rfind(':');
    if (colon == std::string::npos || host.find(']', colon) != std::string::npos) return host;
    if (host.find(':') != colon && host.front() != '[') return host;
    return host.substr(0, colon);
}

std::string bracketed(const net::IpAddress& address) {
    return address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
}

// The index of a context's slot for our pointer.
int slot_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

class HttpProbe final : public Probe {
  public:
    HttpProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), curl_(&context.curl), trust_(&context.trust) {
        for (const UrlConfig& url : check.url) {
            regexes_.push_back(url.regex.empty() ? nullptr : std::make_unique<PageRegex>(url));
        }
    }
    ~HttpProbe() override { HttpProbe::cancel(); }

    // A server that comes back shows one page per period, unless fast_recovery is set.
    void start(const ProbeTry& attempt, Done done) override {
        done_ = std::move(done);
        attempt_ = attempt;
        one_page_ = attempt.recovering && !check_->fast_recovery && check_->url.size() > 1;
        if (!one_page_) page_ = 0;
        certificate_days_.reset();
        fetch();
    }

    void cancel() override {
        end_transfer();
        done_ = {};
        page_ = 0;
    }

  private:
    [[nodiscard]] bool tls() const { return check_->type == CheckType::Ssl; }
    [[nodiscard]] const UrlConfig& url() const { return check_->url[page_]; }

    void fetch() {
        if (has_control_character(url().virtualhost) || has_control_character(url().path)) {
            finish(failed("virtualhost or path holds a control character"));
            return;
        }
        if (tls() && check_->verify) {
            auto store = trust_->get(check_->ca_file);
            if (!store) {
                finish(failed(store.error().message));
                return;
            }
            store_ = *store;
        }
        judge_ = std::make_unique<PageJudge>(url(), regexes_[page_].get());
        transfer_.reset(curl_easy_init());
        if (!transfer_) {
            finish(failed("libcurl gave no handle"));
            return;
        }
        set_options();
        curl_->add(transfer_.get(), [this](CURLcode code) { fetched(code); });
    }

    void set_options() {
        CURL* transfer = transfer_.get();
        set_common_options(transfer, tls() ? "https" : "http");
        // A stand-in for the service's address is nothing to show to a server.
        const std::string name = bracketed(check_->connect_ip);
        const std::string port = std::to_string(check_->connect_port);
        const bool named = !url().virtualhost.empty() && (!tls() || check_->enable_sni);
        const std::string host = named ? without_port(url().virtualhost) : name;
        const std::string address =
            std::string(tls() ? "https" : "http") + "://" + host + ":" + port + "/";
        curl_easy_setopt(transfer, CURLOPT_URL, address.c_str());
        curl_easy_setopt(transfer, CURLOPT_REQUEST_TARGET, url().path.c_str());
        connect_to_ = append(nullptr, "::" + bracketed(attempt_.target) + ":" + port);
        curl_easy_setopt(transfer, CURLOPT_CONNECT_TO, connect_to_.get());
        headers_ = append(nullptr, "Accept: */*");
        if (!url().virtualhost.empty()) {
            headers_ = append(std::move(headers_), "Host: " + url().virtualhost);
        }
        if (check_->http_protocol != HttpProtocol::Http10) {
            headers_ = append(std::move(headers_), "Connection: close");
        }
        curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, headers_.get());
        const bool newer = check_->http_protocol == HttpProtocol::Http11;
        curl_easy_setopt(transfer, CURLOPT_HTTP_VERSION,
                         static_cast<long>(newer ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_1_0));
        curl_easy_setopt(transfer, CURLOPT_USERAGENT, kUserAgent);
        // The limit is kept by whoever runs the try; libcurl has none of its own.
        curl_easy_setopt(transfer, CURLOPT_CONNECTTIMEOUT_MS, kNoLimitMs);
        if (attempt_.source.family != net::Family::None) {
            const std::string source = "host!" + attempt_.source.to_string();
            curl_easy_setopt(transfer, CURLOPT_INTERFACE, source.c_str());
        }
        if (check_->bind_port != 0) {
            curl_easy_setopt(transfer, CURLOPT_LOCALPORT, static_cast<long>(check_->bind_port));
        }
        curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, error_.data());
        error_.front() = '\0';
        curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, &HttpProbe::on_header);
        curl_easy_setopt(transfer, CURLOPT_HEADERDATA, this);
        curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, &HttpProbe::on_body);
        curl_easy_setopt(transfer, CURLOPT_WRITEDATA, this);
        if (tls()) set_tls_options();
    }

    void set_tls_options() {
        CURL* transfer = transfer_.get();
        // The name is checked by libcurl, unless it must not be sent as SNI: then by OpenSSL.
        const bool by_curl = check_->enable_sni || url().virtualhost.empty();
        curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYPEER, check_->verify ? 1L : 0L);
        curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYHOST, check_->verify && by_curl ? 2L : 0L);
        curl_easy_setopt(transfer, CURLOPT_CAINFO, nullptr);
        curl_easy_setopt(transfer, CURLOPT_CAPATH, nullptr);
        curl_easy_setopt(transfer, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!check_->certificate_file.empty()) {
            curl_easy_setopt(transfer, CURLOPT_SSLCERT, check_->certificate_file.c_str());
            curl_easy_setopt(transfer, CURLOPT_SSLKEY, check_->key_file.c_str());
        }
        curl_easy_setopt(transfer, CURLOPT_SSL_CTX_FUNCTION, &HttpProbe::on_tls_context);
        curl_easy_setopt(transfer, CURLOPT_SSL_CTX_DATA, this);
    }

    static CURLcode on_tls_context(CURL* /*transfer*/, void* context, void* self) {
        auto* tls_context = static_cast<SSL_CTX*>(context);
        auto* probe = static_cast<HttpProbe*>(self);
        SSL_CTX_set_ex_data(tls_context, slot_index(), self);
        SSL_CTX_set_info_callback(tls_context, &HttpProbe::on_tls_progress);
        if (!probe->check_->verify) return CURLE_OK;
        SSL_CTX_set1_cert_store(tls_context, probe->store_.get());
        const std::string& name = probe->url().virtualhost;
        if (!probe->check_->enable_sni && !name.empty()) {
            const std::string host = without_port(name);
            X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(tls_context), host.data(), host.size());
        }
        return CURLE_OK;
    }

    static void on_tls_progress(const SSL* connection, int where, int /*value*/) {
        if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
        auto* probe =
            static_cast<HttpProbe*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), slot_index()));
        const X509* certificate = SSL_get0_peer_certificate(connection);
        int days = 0, seconds = 0;
        const bool known =
            probe != nullptr && certificate != nullptr &&
            ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) == 1;
        if (known) probe->certificate_days_ = seconds < 0 && days == 0 ? -1 : days;
    }

    static std::size_t on_header(char* /*data*/, std::size_t size, std::size_t count, void* self) {
        return static_cast<HttpProbe*>(self)->judge_->add_header(size * count) ? size * count : 0;
    }

    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
        const std::span<const char> piece(data, size * count);
        return static_cast<HttpProbe*>(self)->judge_->add_body(piece) ? piece.size() : 0;
    }

    void fetched(CURLcode code) {
        long status = 0;
        curl_easy_getinfo(transfer_.get(), CURLINFO_RESPONSE_CODE, &status);
        std::string problem = judge_problem(code, status);
        const std::string page = url().path;
        end_transfer();
        if (!problem.empty()) {
            finish(failed(page + ": " + problem));
            return;
        }
        ++page_;
        if (page_ == check_->url.size()) {
            finish(succeeded(page + ": status " + std::to_string(status)));
        } else if (one_page_) {
            ProbeResult result = succeeded(page + ": status " + std::to_string(status));
            result.outcome = TryOutcome::Partial;
            finish(std::move(result));
        } else {
            if (on_step) on_step();
            fetch();
        }
    }

    // Empty: the page is good.
    [[nodiscard]] std::string judge_problem(CURLcode code, long status) const {
        const auto verdict = judge_->verdict(status);
        if (code == CURLE_WRITE_ERROR && verdict) return *verdict;
        if (code != CURLE_OK) {
            return error_.front() != '\0' ? error_.data() : curl_easy_strerror(code);
        }
        if (verdict) return *verdict;
        const int least = static_cast<int>(check_->cert_min_days);
        if (tls() && least > 0) {
            if (!certificate_days_) return "the certificate's end is not known";
            if (*certificate_days_ < least) {
                return "the certificate ends in " + std::to_string(*certificate_days_) +
                       " days, cert_min_days is " + std::to_string(least);
            }
        }
        return "";
    }

    void finish(ProbeResult result) {
        end_transfer();
        if (result.outcome != TryOutcome::Partial) page_ = 0;
        result.certificate_days = certificate_days_;
        const Done done = std::move(done_);
        done_ = {};
        done(std::move(result));
    }

    void end_transfer() {
        if (!transfer_) return;
        curl_->remove(transfer_.get());
        transfer_.reset();
        connect_to_.reset();
        headers_.reset();
        judge_.reset();
    }

    const CheckConfig* check_;
    CurlLoop* curl_;
    TrustStores* trust_;
    std::vector<std::unique_ptr<PageRegex>> regexes_;  // by page; null: none
    TrustStore store_;
    CurlHandle transfer_;
    CurlList connect_to_;
    CurlList headers_;
    std::unique_ptr<PageJudge> judge_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    ProbeTry attempt_;
    std::size_t page_ = 0;
    bool one_page_ = false;
    std::optional<int> certificate_days_;
    Done done_;
};

}  // namespace

std::unique_ptr<Probe> make_http_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<HttpProbe>(check, context);
}

}  // namespace pollux::control
