// SPDX-License-Identifier: Apache-2.0
#include "control/config/load.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include <unistd.h>

#include "control/config/files.h"
#include "control/config/read.h"
#include "control/config/resolve.h"
#include "control/config/rules.h"

namespace pollux::control {

namespace {

// So many other nodes of a shared file are judged along with this one.
constexpr std::size_t kMaxOtherNodes = 16;

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    std::string text(name.data());
    return text.substr(0, text.find('.'));
}

std::string router_id_of(const std::vector<Node>& documents) {
    for (const Node& document : documents) {
        for (const Entry& entry : document.entries) {
            if (entry.key != "global") continue;
            for (const Entry& key : entry.value.entries) {
                if (key.key == "router_id" && key.value.kind == NodeKind::Text) {
                    return key.value.text;
                }
            }
        }
    }
    return "";
}

// Why a file for other nodes looks empty here; "" when this node is one of the file's, or there are
// none.
std::string node_hint(const std::string& node, const std::set<std::string>& nodes) {
    if (nodes.empty() || nodes.contains(node)) return "";
    std::string names;
    for (const std::string& name : nodes) names += (names.empty() ? "" : ", ") + name;
    return "this is node \"" + node + "\", the file is for " + names +
           ": choose with --node NAME, or set [global] router_id";
}

struct Evaluation {
    Config config;
    std::set<std::string> nodes;
};

class Loader {
  public:
    explicit Loader(const LoadOptions& options)
        : options_(options),
          host_name_(host_name()),
          sources_(std::make_shared<Sources>()),
          reporter_(*sources_) {
        secrets_.credentials_directory = options.credentials_directory;
        if (secrets_.credentials_directory.empty()) {
            const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
            if (directory != nullptr) secrets_.credentials_directory = directory;
        }
        secrets_.required = options.require_secrets;
        secrets_.check_permissions = options.check_secret_permissions;
    }

    Reporter& reporter() { return reporter_; }

    LoadResult run(const FileSet& files) {
        LoadResult result;
        result.unreadable = files.unreadable;
        Config config;
        // A file that is not TOML says nothing about the whole: what it defines would be missing.
        if (reporter_.errors() == 0) config = judge_all(files);
        result.errors = reporter_.errors();
        result.warnings = reporter_.warnings();
        result.diagnostics = reporter_.take();
        for (std::uint32_t i = 0; i < sources_->file_count(); ++i) {
            result.files.push_back(sources_->path(i));
        }
        if (result.errors == 0) {
            config.sources.get = sources_;
            result.config = std::move(config);
        }
        return result;
    }

  private:
    Config judge_all(const FileSet& files) {
        std::string node = options_.node;
        if (node.empty()) node = router_id_of(files.documents);
        if (node.empty()) node = host_name_;
        Evaluation own = evaluate(files, node, reporter_);
        own.nodes.erase(node);
        for (const std::string& other : own.nodes) {
            if (others_judged_++ >= kMaxOtherNodes) break;
            judge_other(files, own.config, other);
        }
        return std::move(own.config);
    }

    Evaluation evaluate(const FileSet& files, const std::string& node, Reporter& reporter) {
        ReadResult read = read_documents(files.documents, {node}, reporter);
        Evaluation evaluation{{}, std::move(read.nodes)};
        evaluation.config = resolve(std::move(read.draft), host_name_, secrets_, reporter);
        check_names(evaluation.config, reporter);
        check_general(evaluation.config, reporter);
        check_ports(evaluation.config, node_hint(node, evaluation.nodes), reporter);
        check_addresses(evaluation.config, reporter);
        check_routes(evaluation.config, reporter);
        check_vrrp(evaluation.config, reporter);
        check_tracking(evaluation.config, reporter);
        check_services(evaluation.config, reporter);
        check_checks(evaluation.config, reporter);
        return evaluation;
    }

    // Another node of the same file: what is wrong with it and was not yet said.
    void judge_other(const FileSet& files, const Config& own, const std::string& node) {
        Reporter other(*sources_);
        const Evaluation evaluation = evaluate(files, node, other);
        const bool clean = other.errors() == 0;
        reporter_.merge(other, "on node \"" + node + "\"");
        if (clean) check_pair(own, evaluation.config, node, reporter_);
    }

    const LoadOptions& options_;
    std::string host_name_;
    std::shared_ptr<Sources> sources_;
    Reporter reporter_;
    SecretOptions secrets_;
    std::size_t others_judged_ = 0;
};

}  // namespace

LoadResult load_config(const std::string& path, const LoadOptions& options) {
    Loader loader(options);
    return loader.run(read_files(path, options.only_regular, loader.reporter()));
}

LoadResult load_config_text(std::string_view text, const std::string& name,
                            const LoadOptions& options) {
    Loader loader(options);
    return loader.run(read_files_of_text(text, name, loader.reporter()));
}

}  // namespace pollux::control
