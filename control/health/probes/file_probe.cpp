// SPDX-License-Identifier: Apache-2.0
// FILE_CHECK: the number in a [[vrrp_track_file]]. With file_weight it is added to the weight that
// many times, without any number but 0 is bad. The script helper reads the file, which may lie on
// a dead network mount.

#include <algorithm>

#include "control/health/probe_table.h"
#include "control/scripts/observe.h"

namespace pollux::control {
namespace {

constexpr auto kReadTimeout = std::chrono::seconds(5);
// keepalived: a product below -253 is a failure, whatever the weight.
constexpr std::int64_t kFailureBelow = -253;
constexpr std::int64_t kMostChange = 65535;

ProbeResult judge(std::int64_t value, int weight) {
    const std::string detail = "value " + std::to_string(value);
    if (weight == 0) return value == 0 ? succeeded(detail) : failed(detail);
    const std::int64_t bounded = std::clamp<std::int64_t>(value, -kMostChange, kMostChange);
    const std::int64_t change = bounded * weight;
    if (change < kFailureBelow) return failed(detail);
    ProbeResult result = succeeded(detail);
    result.weight_change = static_cast<int>(std::min(change, kMostChange));
    return result;
}

class FileProbe final : public Probe {
  public:
    FileProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), scripts_(&context.scripts), files_(&context.track_files) {}
    ~FileProbe() override { FileProbe::cancel(); }

    void start(const ProbeTry& /*attempt*/, Done done) override {
        const auto file = files_->find(check_->track_file);
        if (file == files_->end()) {
            done(failed("no vrrp_track_file " + check_->track_file));
            return;
        }
        ObserveQuery query;
        query.files = {file->second};
        ScriptJob job;
        job.kind = ScriptKind::Observe;
        job.argv = to_arguments(query);
        job.timeout = kReadTimeout;
        job_ = scripts_->run(std::move(job), [this, query, done](const ScriptResult& result) {
            job_ = 0;
            const auto seen =
                result.succeeded() ? parse_observation(result.output, query) : std::nullopt;
            const bool readable = seen && seen->files.size() == 1 && seen->files[0];
            done(readable ? judge(*seen->files[0], check_->file_weight)
                          : failed("not readable, or not a number"));
        });
    }

    void cancel() override {
        if (job_ != 0) scripts_->forget(job_);
        job_ = 0;
    }

  private:
    const CheckConfig* check_;
    ScriptRunner* scripts_;
    const std::map<std::string, std::string>* files_;
    std::uint64_t job_ = 0;
};

}  // namespace

std::unique_ptr<Probe> make_file_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<FileProbe>(check, context);
}

}  // namespace pollux::control
