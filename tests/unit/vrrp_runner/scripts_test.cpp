// SPDX-License-Identifier: Apache-2.0

// The script helper and what it is made of. The helper is a real process; the tests wait for its
// answers, not for time.

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/scripts/observe.h"
#include "control/scripts/script_helper.h"
#include "control/scripts/script_job.h"
#include "control/scripts/script_path.h"

namespace pollux::control {
namespace {

using namespace std::chrono_literals;

class Folder {
  public:
    Folder() {
        std::string pattern = "/root/.pollux-test-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string script(const std::string& name, const std::string& body, mode_t mode = 0755) {
        const std::string path = path_ + "/" + name;
        std::ofstream(path) << "#!/bin/sh\n" << body;
        chmod(path.c_str(), mode);
        return path;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

bool is_root() {
    return geteuid() == 0;
}

// --- messages ---------------------------------------------------------------------------------

TEST(ScriptJob, SurvivesTheSocket) {
    ScriptJob job;
    job.id = 77;
    job.kind = ScriptKind::Notify;
    job.argv = {"/bin/true", "", "a b", std::string("zero\0inside", 11)};
    job.user = "nobody:nogroup";
    job.timeout = 1500ms;
    job.secure = false;
    const auto back = decode_job(encode(job));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->id, job.id);
    EXPECT_EQ(back->kind, job.kind);
    EXPECT_EQ(back->argv, job.argv);
    EXPECT_EQ(back->user, job.user);
    EXPECT_EQ(back->timeout, job.timeout);
    EXPECT_FALSE(back->secure);
}

TEST(ScriptJob, TruncatedMessagesAreRefused) {
    ScriptJob job;
    job.argv = {"/bin/true", "argument"};
    const std::string message = encode(job);
    for (std::size_t length = 0; length < message.size(); ++length) {
        const auto cut = decode_job(message.substr(0, length));
        // A message may end between two arguments and is a shorter one then.
        EXPECT_TRUE(!cut || cut->argv.size() < job.argv.size()) << length;
    }
    const std::string answer = encode(ScriptResult{1, ScriptEnd::Exited, -3, "text"});
    EXPECT_EQ(decode_result(answer)->code, -3);
    for (std::size_t length = 0; length < answer.size(); ++length) {
        EXPECT_FALSE(decode_result(answer.substr(0, length)));
    }
}

// --- paths ------------------------------------------------------------------------------------

TEST(ScriptPath, SystemProgramsAreSafe) {
    EXPECT_TRUE(check_script_path("/usr/bin/env"));
    EXPECT_TRUE(check_script_path("/bin/sh")) << "through the link /bin -> usr/bin";
}

TEST(ScriptPath, NamesTheFirstUnsafePart) {
    if (!is_root()) GTEST_SKIP() << "needs root to own files";
    Folder folder;
    const std::string good = folder.script("good", "exit 0\n");
    EXPECT_TRUE(check_script_path(good));
    const std::string writable = folder.script("writable", "exit 0\n", 0757);
    const Status refused = check_script_path(writable);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(writable), std::string::npos);
    EXPECT_NE(refused.error().remedy.find("chmod go-w"), std::string::npos);
    const std::string foreign = folder.script("foreign", "exit 0\n");
    ASSERT_EQ(chown(foreign.c_str(), 65534, 65534), 0);
    EXPECT_FALSE(check_script_path(foreign));
    // An unsafe directory taints everything in it.
    chmod(folder.path().c_str(), 0777);
    EXPECT_FALSE(check_script_path(good));
}

TEST(ScriptPath, LinksAreFollowedAndChecked) {
    if (!is_root()) GTEST_SKIP() << "needs root to own files";
    Folder folder;
    const std::string target = folder.script("target", "exit 0\n");
    const std::string link = folder.path() + "/link";
    ASSERT_EQ(symlink("./target", link.c_str()), 0);
    EXPECT_TRUE(check_script_path(link));
    chmod(target.c_str(), 0777);
    EXPECT_FALSE(check_script_path(link));
    chmod(target.c_str(), 0755);
    ASSERT_EQ(lchown(link.c_str(), 65534, 65534), 0);
    EXPECT_FALSE(check_script_path(link)) << "its owner could point it elsewhere";
    const std::string loop = folder.path() + "/loop";
    ASSERT_EQ(symlink(loop.c_str(), loop.c_str()), 0);
    EXPECT_FALSE(check_script_path(loop));
}

TEST(ScriptPath, RefusesWhatIsNoFile) {
    EXPECT_FALSE(check_script_path("relative"));
    EXPECT_FALSE(check_script_path(""));
    EXPECT_FALSE(check_script_path("/usr"));
    EXPECT_FALSE(check_script_path("/usr/bin/no-such-program"));
}

// --- the helper -------------------------------------------------------------------------------

class HelperTest : public testing::Test {
  protected:
    void SetUp() override {
        auto started = fork_script_helper();
        ASSERT_TRUE(started);
        helper_ = *started;
    }
    void TearDown() override {
        if (helper_.socket >= 0) hang_up();
    }
    // Closes the socket and waits for the helper's end.
    void hang_up() {
        close(helper_.socket);
        helper_.socket = -1;
        int status = 0;
        EXPECT_EQ(waitpid(helper_.pid, &status, 0), helper_.pid);
        EXPECT_TRUE(WIFEXITED(status));
    }
    void send_job(const ScriptJob& job) {
        const std::string message = encode(job);
        ASSERT_EQ(::send(helper_.socket, message.data(), message.size(), 0),
                  static_cast<ssize_t>(message.size()));
    }
    ScriptResult receive() {
        std::string buffer(kMaxScriptMessage, '\0');
        const ssize_t length = recv(helper_.socket, buffer.data(), buffer.size(), 0);
        EXPECT_GT(length, 0);
        buffer.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        return decode_result(buffer).value_or(ScriptResult{});
    }
    ScriptResult run(ScriptJob job) {
        job.id = ++next_id_;
        send_job(job);
        const ScriptResult result = receive();
        EXPECT_EQ(result.id, job.id);
        return result;
    }
    static ScriptJob shell(const std::string& command, std::chrono::nanoseconds timeout = 20s) {
        ScriptJob job;
        job.argv = {"/bin/sh", "-c", command};
        job.user = "root";
        job.timeout = timeout;
        return job;
    }

    ScriptHelper helper_;
    std::uint64_t next_id_ = 0;
};

TEST_F(HelperTest, ReportsStatusAndOutput) {
    const ScriptResult good = run(shell("echo fine; echo also >&2"));
    EXPECT_TRUE(good.succeeded());
    EXPECT_EQ(good.output, "fine\nalso\n");
    const ScriptResult bad = run(shell("exit 3"));
    EXPECT_EQ(bad.end, ScriptEnd::Exited);
    EXPECT_EQ(bad.code, 3);
    EXPECT_EQ(describe(bad), "exit status 3");
    EXPECT_EQ(run(shell("kill -9 $$")).end, ScriptEnd::Signalled);
}

TEST_F(HelperTest, KeepsFourKibibytesOfOutput) {
    const ScriptResult result = run(shell("yes | head -c 1000000"));
    EXPECT_TRUE(result.succeeded());
    EXPECT_EQ(result.output.size(), 4096U);
}

TEST_F(HelperTest, KillsTheWholeGroupWhenTheTimeIsUp) {
    Folder folder;
    const std::string mark = folder.path() + "/pid";
    ScriptJob job = shell("sleep 3600 & echo $! > " + mark + "; trap '' TERM; wait", 300ms);
    const ScriptResult result = run(job);
    EXPECT_EQ(result.end, ScriptEnd::TimedOut);
    pid_t child = 0;
    std::ifstream(mark) >> child;
    ASSERT_GT(child, 0);
    // Whoever inherits it has reaped it soon; until then it is a zombie, which runs no more.
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(stat, text);
    EXPECT_TRUE(text.empty() || text.find(") Z") != std::string::npos) << text;
}

TEST_F(HelperTest, ManyHangingJobsDoNotDelayAnother) {
    for (int i = 0; i < 200; ++i) {
        ScriptJob job = shell("trap '' TERM; sleep 3600", 3600s);
        job.id = 1000 + static_cast<std::uint64_t>(i);
        send_job(job);
    }
    EXPECT_TRUE(run(shell("true")).succeeded());
    hang_up();  // ends them all
}

TEST_F(HelperTest, RefusesWithTheReason) {
    ScriptJob missing = shell("");
    missing.argv = {"/usr/bin/no-such-program"};
    const ScriptResult result = run(missing);
    EXPECT_EQ(result.end, ScriptEnd::Refused);
    EXPECT_NE(result.output.find("no-such-program"), std::string::npos);
    if (!is_root()) return;
    ScriptJob stranger = shell("true");
    stranger.user = "no-such-user";
    EXPECT_EQ(run(stranger).end, ScriptEnd::Refused);
    Folder folder;
    ScriptJob unsafe = shell("");
    unsafe.argv = {folder.script("unsafe", "exit 0\n", 0777)};
    EXPECT_EQ(run(unsafe).end, ScriptEnd::Refused);
    unsafe.secure = false;
    EXPECT_TRUE(run(unsafe).succeeded());
}

TEST_F(HelperTest, RunsAsTheUserWithNothingInherited) {
    if (!is_root()) GTEST_SKIP() << "needs root to become another user";
    ScriptJob job = shell("id -un; id -Gn; ls /proc/self/fd | wc -l; env | sort; pwd");
    job.user = "nobody";
    const ScriptResult result = run(job);
    ASSERT_TRUE(result.succeeded()) << result.output;
    EXPECT_EQ(result.output.find("nobody\nnogroup\n"), 0U) << result.output;
    EXPECT_NE(result.output.find("HOME=/\nLANG=C.UTF-8\n"), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find("PATH=/root"), std::string::npos);
}

TEST_F(HelperTest, NotificationsOutliveTheDaemonAndChecksDoNot) {
    Folder folder;
    const std::string mark = folder.path() + "/mark";
    ScriptJob notify = shell("sleep 0.3; echo told > " + mark);
    notify.kind = ScriptKind::Notify;
    send_job(notify);
    send_job(shell("sleep 3600"));
    hang_up();
    std::string text;
    std::ifstream(mark) >> text;
    EXPECT_EQ(text, "told");
}

TEST_F(HelperTest, ObservesProcessesAndFiles) {
    Folder folder;
    const std::string number = folder.path() + "/number";
    std::ofstream(number) << " -12\n";
    ObserveQuery query;
    query.processes = {{"no-such-process", {}, false}};
    query.files = {number, folder.path() + "/missing"};
    ScriptJob job;
    job.kind = ScriptKind::Observe;
    job.argv = to_arguments(query);
    job.timeout = 20s;
    const ScriptResult result = run(job);
    const auto seen = parse_observation(result.output, query);
    ASSERT_TRUE(seen) << result.output;
    EXPECT_EQ(seen->processes, std::vector<std::uint32_t>{0});
    EXPECT_EQ(seen->files[0], -12);
    EXPECT_FALSE(seen->files[1].has_value());
}

// --- observing --------------------------------------------------------------------------------

class FakeProc {
  public:
    void add(int pid, const std::string& comm, const std::vector<std::string>& command_line) {
        const std::string folder = folder_.path() + "/" + std::to_string(pid);
        std::filesystem::create_directory(folder);
        std::ofstream(folder + "/comm") << comm << "\n";
        std::ofstream file(folder + "/cmdline");
        for (const std::string& part : command_line) file << part << '\0';
    }
    [[nodiscard]] const std::string& path() const { return folder_.path(); }

  private:
    Folder folder_;
};

TEST(Observe, CountsByNameCommandAndArguments) {
    if (!is_root()) GTEST_SKIP() << "its folder is root's";
    FakeProc proc;
    proc.add(10, "nginx", {"nginx: master process"});
    proc.add(11, "nginx", {"nginx: worker process"});
    proc.add(12, "nginx", {});  // a zombie
    proc.add(13, "a-very-long-nam", {"/opt/a-very-long-name-indeed", "-c", "x"});
    proc.add(14, "sh", {"sh", "nginx"});
    std::filesystem::create_directory(proc.path() + "/self");
    ObserveQuery query;
    query.processes = {{"nginx", {}, false},
                       {"/usr/sbin/nginx", {}, false},
                       {"a-very-long-name-indeed", {}, false},
                       {"/opt/a-very-long-name-indeed", {"-c", "x"}, true},
                       {"/opt/a-very-long-name-indeed", {"-d"}, true},
                       {"ngin", {}, false}};
    const Observation seen = observe(query, proc.path(), [] { ADD_FAILURE() << "no files"; });
    EXPECT_EQ(seen.processes, (std::vector<std::uint32_t>{2, 2, 1, 1, 0, 0}));
}

TEST(Observe, FileThatIsBeingWrittenIsReadAgain) {
    if (!is_root()) GTEST_SKIP() << "its folder is root's";
    Folder folder;
    const auto write = [&](const char* name, const char* text) {
        std::ofstream(folder.path() + "/" + name) << text;
        return folder.path() + "/" + name;
    };
    ObserveQuery query;
    query.files = {write("steady", "7\n"), write("emptied", ""), folder.path() + "/replaced",
                   write("words", "none")};
    int waits = 0;
    const auto writer = [&] {
        ++waits;
        write("steady", "");  // has been read, and is not read again
        write("emptied", "-3\n");
        write("replaced", "0\n");
    };
    using Values = std::vector<std::optional<std::int64_t>>;
    EXPECT_EQ(observe(query, "/proc", writer).files, (Values{7, -3, 0, std::nullopt}));
    EXPECT_EQ(waits, 1);
    query.files.pop_back();
    write("steady", "8\n");
    EXPECT_EQ(observe(query, "/proc", writer).files, (Values{8, -3, 0}));
    EXPECT_EQ(waits, 1) << "waited although every file held a number";
}

TEST(Observe, QueriesSurviveAsArguments) {
    ObserveQuery query;
    query.processes = {{"nginx", {}, false}, {"/bin/x", {"a", "file", "b"}, true}};
    query.files = {"/run/a", "/run/b c"};
    const ObserveQuery back = from_arguments(to_arguments(query));
    ASSERT_EQ(back.processes.size(), 2U);
    EXPECT_EQ(back.processes[1].arguments, query.processes[1].arguments);
    EXPECT_TRUE(back.processes[1].full_command);
    EXPECT_EQ(back.files, query.files);
    EXPECT_FALSE(parse_observation("1\n", query)) << "an incomplete answer says nothing";
}

}  // namespace
}  // namespace pollux::control
