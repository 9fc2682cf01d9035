// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counting connections and templates with their real servers, each exactly once. Any participant.

#include "dataplane/lb/connection.h"
#include "dataplane/lb/server_load.h"
#include "dataplane/lb/shared_state.h"

namespace pollux::lb {

// Before a connection is inserted; to be taken back with count_removed if that fails.
void count_added(SharedState& shared, RealServerId server, ConnectionState state) noexcept;

// After a connection left the table with the state `last`.
void count_removed(SharedState& shared, RealServerId server, ConnectionState last) noexcept;

// After change_state succeeded.
void count_change(SharedState& shared, Participant self, RealServerId server,
                  ConnectionState before, ConnectionState after) noexcept;

void count_template_added(SharedState& shared, RealServerId server) noexcept;
void count_template_removed(SharedState& shared, RealServerId server) noexcept;

}  // namespace pollux::lb
