// SPDX-License-Identifier: Apache-2.0
#include "control/director/log_options.h"

namespace pollux::control {
namespace {

log::Target to_log_target(LogTarget target) {
    switch (target) {
        case LogTarget::Stderr:
            return log::Target::Stderr;
        case LogTarget::Syslog:
            return log::Target::Syslog;
        case LogTarget::Journald:
            return log::Target::Journald;
        case LogTarget::File:
            return log::Target::File;
    }
    return log::Target::Stderr;
}

}  // namespace

log::Level to_log_level(LogLevel level) {
    switch (level) {
        case LogLevel::Debug:
            return log::Level::Debug;
        case LogLevel::Info:
            return log::Level::Info;
        case LogLevel::Warning:
            return log::Level::Warning;
        case LogLevel::Error:
            return log::Level::Error;
    }
    return log::Level::Info;
}

log::Options to_log_options(const LogConfig& config) {
    log::Options options;
    options.target = to_log_target(config.target);
    options.level = to_log_level(config.level);
    options.format = config.format == LogFormat::Json ? log::Format::Json : log::Format::Logfmt;
    options.file = config.file;
    return options;
}

}  // namespace pollux::control
