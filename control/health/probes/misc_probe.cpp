// SPDX-License-Identifier: Apache-2.0
// MISC_CHECK: a program whose exit status counts: 0 good, 1 bad; with misc_dynamic 2..255 is good
// with the weight status - 2, without it bad.

#include "control/health/probe_table.h"

namespace pollux::control {
namespace {

constexpr int kFirstDynamicStatus = 2;
// Of a script's output, in the result's detail.
constexpr std::size_t kMaxOutput = 200;

ProbeResult judge(const ScriptResult& result, bool dynamic) {
    std::string detail = describe(result);
    const std::string first_line = result.output.substr(0, result.output.find('\n'));
    if (result.end == ScriptEnd::Exited && !first_line.empty()) {
        detail += ": " + first_line.substr(0, kMaxOutput);
    }
    if (result.succeeded()) return succeeded(detail);
    const bool weighs =
        dynamic && result.end == ScriptEnd::Exited && result.code >= kFirstDynamicStatus;
    if (!weighs) return failed(detail);
    ProbeResult good = succeeded(detail);
    good.weight = static_cast<std::uint16_t>(result.code - kFirstDynamicStatus);
    return good;
}

class MiscProbe final : public Probe {
  public:
    MiscProbe(const CheckConfig& check, ProbeContext& context)
        : check_(&check), scripts_(&context.scripts), settings_(&context.script_settings) {}
    ~MiscProbe() override { MiscProbe::cancel(); }

    void start(const ProbeTry& /*attempt*/, Done done) override {
        ScriptJob job;
        job.kind = ScriptKind::Check;
        job.argv = check_->misc_path.argv;
        job.user = check_->user.empty() ? settings_->user : check_->user;
        job.timeout = check_->misc_timeout;
        job.secure = settings_->enable_script_security;
        job_ = scripts_->run(std::move(job), [this, done](const ScriptResult& result) {
            job_ = 0;
            done(judge(result, check_->misc_dynamic));
        });
    }

    void cancel() override {
        if (job_ != 0) scripts_->forget(job_);
        job_ = 0;
    }

  private:
    const CheckConfig* check_;
    ScriptRunner* scripts_;
    const ScriptsConfig* settings_;
    std::uint64_t job_ = 0;
};

}  // namespace

std::unique_ptr<Probe> make_misc_probe(const CheckConfig& check, ProbeContext& context) {
    return std::make_unique<MiscProbe>(check, context);
}

}  // namespace pollux::control
