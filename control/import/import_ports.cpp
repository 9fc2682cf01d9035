// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "control/config/values.h"
#include "control/import/convert.h"

namespace pollux::control {

ImportPorts::Port& ImportPorts::port(std::string_view name, SourcePlace place) {
    const auto found = std::ranges::find(ports_, name, &Port::name);
    if (found != ports_.end()) return *found;
    return ports_.emplace_back(Port{std::string(name), place, {}});
}

void ImportPorts::use(std::string_view name, SourcePlace place) {
    port(name, place);
}

void ImportPorts::add_address(std::string_view name, std::string address, SourcePlace place) {
    port(name, place).addresses.push_back(std::move(address));
}

bool ImportPorts::write(TomlTable& dpdk) const {
    std::vector<Port> ports = ports_;
    const auto named = [&ports](const std::string& name) -> Port& {
        const auto found = std::ranges::find(ports, name, &Port::name);
        return found != ports.end() ? *found : ports.emplace_back(Port{name, {}, {}});
    };
    for (const PortSetting& device : options_.devices) named(device.name);
    for (const PortSetting& address : options_.addresses) {
        named(address.name).addresses.push_back(address.value);
    }
    if (ports.empty()) named("port0");
    bool complete = true;
    for (const Port& port : ports) {
        TomlTable& table = dpdk.append("port", port.place);
        table.set_text("name", port.name, port.place);
        const auto device = std::ranges::find(options_.devices, port.name, &PortSetting::name);
        if (device == options_.devices.end()) {
            table.comment("FILL IN: the NIC (see dpdk-devbind.py --status), or a virtual device:");
            table.comment("vdev = \"net_af_packet0,iface=" + escaped(port.name) + "\"");
            table.set_text("pci", "fill in: the device of " + port.name, port.place);
            complete = false;
        } else {
            table.set_text(device->value.starts_with("net_") ? "vdev" : "pci", device->value);
        }
        if (port.addresses.empty()) {
            table.comment("This node's own addresses there, which the kernel had so far:");
            table.comment("address = [\"192.0.2.2/24\"]");
        } else {
            table.set("address", toml_texts(port.addresses), port.place);
        }
    }
    return complete;
}

}  // namespace pollux::control
