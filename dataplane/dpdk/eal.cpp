// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/eal.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pollux::dpdk {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockName = "pollux.lock";
bool was_started = false;

std::string lcores(const RuntimeOptions& options) {
    std::string text = "0@" + options.control_lcore;
    for (std::size_t i = 0; i < options.worker_cpus.size(); ++i) {
        text += "," + std::to_string(i + 1) + "@" + std::to_string(options.worker_cpus[i]);
    }
    return text;
}

// While it lives, new threads block every signal and new files are private to this user. Thus
// signals reach the control thread only, and EAL's sockets are never open to others (T-32).
class PrivateStart {
  public:
    PrivateStart() : umask_(umask(077)) {
        sigset_t all;
        sigfillset(&all);
        // Faults of a thread are its own.
        for (const int fault : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP}) {
            sigdelset(&all, fault);
        }
        pthread_sigmask(SIG_SETMASK, &all, &signals_);
    }
    ~PrivateStart() {
        pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
        umask(umask_);
    }
    PrivateStart(const PrivateStart&) = delete;
    PrivateStart& operator=(const PrivateStart&) = delete;

  private:
    mode_t umask_;
    sigset_t signals_{};
};

void restrict_telemetry(const std::string& directory) {
    std::error_code error;
    for (const auto& file : fs::directory_iterator(directory, error)) {
        if (!file.path().filename().string().starts_with("dpdk_telemetry")) continue;
        chmod(file.path().c_str(), 0600);
    }
}

void remove_files(const std::string& directory) {
    std::error_code error;
    for (const auto& file : fs::directory_iterator(directory, error)) {
        const std::string name = file.path().filename().string();
        const bool ours = name.starts_with("dpdk_telemetry") || name.starts_with("mp_socket") ||
                          name.starts_with("fbarray_") || name == "config" ||
                          name == "hugepage_info";
        if (ours) fs::remove(file.path(), error);
    }
}

int open_lock(const std::string& directory, const std::string& path) {
    std::error_code error;
    const mode_t before = umask(077);
    fs::create_directories(directory, error);
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    umask(before);
    return fd;
}

std::string read_holder(int fd) {
    std::string holder(32, '\0');
    const ssize_t size = pread(fd, holder.data(), holder.size(), 0);
    holder.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return holder;
}

Error init_error(const RuntimeOptions& options, const LogCapture& log, int code) {
    std::string reason = log.errors();
    if (reason.empty()) reason = std::strerror(code);
    std::string remedy = "check dpdk.extra_eal_args";
    if (reason.find("emory") != std::string::npos || reason.find("ugepage") != std::string::npos) {
        remedy = options.hugepages ? "dpdk-hugepages.py --show lists hugepages; reserve more, or "
                                     "lower dpdk.hugepage_mem"
                                   : "lower dpdk.hugepage_mem";
    } else if (reason.find("IOVA") != std::string::npos) {
        remedy = "leave the IOVA mode to DPDK";
    } else if (options.extra_eal_args.empty()) {
        remedy = "dpdk-testpmd with the same devices shows whether DPDK itself works here";
    }
    return Error{"DPDK does not start: " + reason, remedy};
}

}  // namespace

std::vector<std::string> eal_arguments(const RuntimeOptions& options) {
    std::vector<std::string> arguments{options.program.empty() ? "polluxd" : options.program,
                                       "--lcores",
                                       lcores(options),
                                       "-m",
                                       std::to_string(options.memory_mib),
                                       "--file-prefix",
                                       options.file_prefix};
    if (!options.hugepages) {
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
    } else if (options.in_memory) {
        arguments.emplace_back("--in-memory");
    }
    if (!options.iova_mode.empty()) arguments.emplace_back("--iova-mode=" + options.iova_mode);
    if (!options.telemetry) arguments.emplace_back("--no-telemetry");
    bool has_pci = false;
    for (const PortOptions& port : options.ports) {
        if (port.pci.empty()) continue;
        has_pci = true;
        arguments.insert(arguments.end(), {"-a", port.pci});
    }
    if (!has_pci) arguments.emplace_back("--no-pci");
    arguments.insert(arguments.end(), options.extra_eal_args.begin(), options.extra_eal_args.end());
    return arguments;
}

std::string runtime_directory(const std::string& file_prefix) {
    // The same rule as EAL's (DPDK 22.11), which tells only after its start.
    const char* base = std::getenv("RUNTIME_DIRECTORY");
    if (base == nullptr && getuid() == 0) base = "/var/run";
    if (base == nullptr) base = std::getenv("XDG_RUNTIME_DIR");
    if (base == nullptr) base = "/tmp";
    return std::string(base) + "/dpdk/" + file_prefix;
}

Result<PrefixLock> PrefixLock::take(const std::string& file_prefix) {
    const std::string directory = runtime_directory(file_prefix);
    const std::string path = directory + "/" + kLockName;
    struct stat status {};
    int fd = -1;
    do {
        if (fd >= 0) close(fd);  // the former holder removed the file while we waited for it
        fd = open_lock(directory, path);
        if (fd < 0) {
            return Error{"cannot write " + path + ": " + std::strerror(errno),
                         "run as root, or give this user that directory"};
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const std::string holder = read_holder(fd);
            close(fd);
            return Error{"file prefix '" + file_prefix + "' is in use by process " + holder,
                         "stop that process, or give this one another dpdk.file_prefix"};
        }
    } while (fstat(fd, &status) == 0 && status.st_nlink == 0);

    const std::string pid = std::to_string(getpid());
    const bool written = ftruncate(fd, 0) == 0 &&
                         pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    PrefixLock lock(fd, directory);
    if (!written) {
        return Error{"cannot write " + path + ": " + std::strerror(errno), "free some disk space"};
    }
    return lock;
}

PrefixLock::PrefixLock(PrefixLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), directory_(std::move(other.directory_)) {}

PrefixLock::~PrefixLock() {
    if (fd_ < 0) return;
    unlink((directory_ + "/" + kLockName).c_str());
    close(fd_);
    rmdir(directory_.c_str());
}

Result<Eal> Eal::start(const RuntimeOptions& options, LogCapture& log) {
    if (std::exchange(was_started, true)) {
        return Error{"DPDK can be started only once in a process", "start a new process"};
    }
    std::vector<std::string> arguments = eal_arguments(options);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    const std::string directory = runtime_directory(options.file_prefix);
    int result = 0;
    int code = 0;
    {
        const PrivateStart private_start;
        const OutputDiversion diversion;
        result = rte_eal_init(static_cast<int>(arguments.size()), argv.data());
        code = rte_errno;
    }
    if (result < 0) {
        Error error = init_error(options, log, code);
        remove_files(directory);
        return error;
    }
    restrict_telemetry(rte_eal_get_runtime_dir());
    return Eal(rte_eal_get_runtime_dir());
}

Eal::Eal(Eal&& other) noexcept : directory_(std::exchange(other.directory_, "")) {}

Eal::~Eal() {
    if (directory_.empty()) return;
    rte_eal_cleanup();
    remove_files(directory_);
}

}  // namespace pollux::dpdk
