// SPDX-License-Identifier: Apache-2.0
// Commands of the configuration against this host.

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/online.h"
#include "control/config/rules.h"
#include "control/config/values.h"

namespace pollux::control {

namespace {

std::string octal(mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U) text[i] = static_cast<char>('0' + (mode & 7U));
    return text;
}

std::string owner_name(uid_t uid) {
    const passwd* entry = ::getpwuid(uid);
    return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

class ScriptChecks {
  public:
    ScriptChecks(const Config& config, Reporter& reporter) : config_(config), reporter_(reporter) {}

    void run() {
        const GlobalConfig& global = config_.global;
        check(global.notify_fifo_script, global.origin, "notify_fifo_script");
        check(global.vrrp_notify_fifo_script, global.origin, "vrrp_notify_fifo_script");
        check(global.lvs_notify_fifo_script, global.origin, "lvs_notify_fifo_script");
        for (const VrrpScriptConfig& script : config_.vrrp_scripts) {
            check(script.script, script.origin, "script");
            stops_daemon(script);
        }
        for (const VrrpInstanceConfig& instance : config_.vrrp_instances) {
            notify(instance.notify, instance.origin);
        }
        for (const VrrpSyncGroupConfig& group : config_.vrrp_sync_groups) {
            notify(group.notify, group.origin);
        }
        for (const VirtualServerConfig& service : config_.virtual_servers) this->service(service);
    }

  private:
    void notify(const NotifyCommands& commands, const Origin& origin) {
        check(commands.notify_master, origin, "notify_master");
        check(commands.notify_backup, origin, "notify_backup");
        check(commands.notify_fault, origin, "notify_fault");
        check(commands.notify_stop, origin, "notify_stop");
        check(commands.notify_deleted, origin, "notify_deleted");
        check(commands.notify, origin, "notify");
        check(commands.fence, origin, "fence");
    }

    void service(const VirtualServerConfig& service) {
        check(service.quorum_up, service.origin, "quorum_up");
        check(service.quorum_down, service.origin, "quorum_down");
        for (const RealServerConfig& server : service.real_server) {
            check(server.notify_up, server.origin, "notify_up");
            check(server.notify_down, server.origin, "notify_down");
            for (const CheckConfig& item : server.check) {
                check(item.misc_path, item.origin, "misc_path");
            }
        }
    }

    void check(const Command& command, const Origin& origin, std::string_view key) {
        if (command.empty()) return;
        const std::string& path = command.argv.front();
        const Place place = reporter_.sources().value(origin, key);
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            reporter_.report("E0710", "there is no script " + path)
                .at(place, std::strerror(errno))
                .note("keepalived would go on unmonitored");
            return;
        }
        if (!S_ISREG(status.st_mode)) {
            reporter_.report("E0710", path + " is not a file").at(place, "cannot be run");
            return;
        }
        if ((status.st_mode & 0111U) == 0) {
            reporter_.report("E0711", "script " + path + " is not executable")
                .at(place, "has mode " + octal(status.st_mode & 07777U))
                .help("chmod +x " + escaped(path));
        }
        if (config_.global.scripts.enable_script_security) secure(path, place);
    }

    // Each directory on the way and the file itself: owned by root, writable by nobody else.
    void secure(const std::string& path, const Place& place) {
        for (std::size_t end = 1; end != std::string::npos;) {
            end = path.find('/', end);
            const std::string part = path.substr(0, end);
            if (end != std::string::npos) ++end;
            struct stat status {};
            if (::stat(part.c_str(), &status) != 0) return;
            const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
            const bool owner = status.st_uid == 0;
            const bool writable = (status.st_mode & 0022U) != 0 && !(sticky && owner);
            const bool group_root = (status.st_mode & 0022U) == 0020U && status.st_gid == 0;
            if (owner && (!writable || group_root)) continue;
            reporter_.report("E0712", "script " + path + " can be changed by others than root")
                .at(place, part + " is owned by " + owner_name(status.st_uid) + ", mode " +
                               octal(status.st_mode & 07777U))
                .note("[global.scripts] enable_script_security is on")
                .help("chown root " + escaped(part) + " && chmod go-w " + escaped(part));
            return;
        }
    }

    // Tutorials let the check stop the daemon; then nobody is left to take the address back.
    void stops_daemon(const VrrpScriptConfig& script) {
        if (script.script.empty()) return;
        std::ifstream file(script.script.argv.front(), std::ios::binary);
        std::string text(std::size_t{65536}, '\0');
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
        static constexpr std::array<std::string_view, 10> kStops = {"systemctl stop keepalived",
                                                                    "systemctl stop pollux",
                                                                    "service keepalived stop",
                                                                    "service pollux",
                                                                    "init.d/keepalived stop",
                                                                    "killall keepalived",
                                                                    "killall polluxd",
                                                                    "pkill keepalived",
                                                                    "pkill polluxd",
                                                                    "init.d/pollux"};
        for (const std::string_view stop : kStops) {
            if (text.find(stop) == std::string::npos) continue;
            reporter_.report("W0713", titled("vrrp_script", script.name) + " stops the daemon")
                .at(reporter_.sources().value(script.origin, "script"),
                    "\"" + std::string(stop) + "\" in it")
                .note("once stopped, the node never takes the addresses back by itself")
                .help(
                    "let the script exit with status 1: weight = 0 makes that a fault, and the "
                    "fault ends when the script succeeds");
            return;
        }
    }

    const Config& config_;
    Reporter& reporter_;
};

}  // namespace

void check_scripts(const Config& config, Reporter& reporter) {
    ScriptChecks(config, reporter).run();
}

}  // namespace pollux::control
