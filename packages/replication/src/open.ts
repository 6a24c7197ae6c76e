import type { Replication, ReplicationOptions } from './api.ts'
import { settingsOf } from './options.ts'
import { PeerReplication } from './replication.ts'

/** Begins to keep content at other peers. Throws `INVALID_ARGUMENT` for wrong options. It ends with `stop`; stop it before the peer. */
export function openReplication(options: ReplicationOptions): Replication {
  const settings = settingsOf(options)
  return new PeerReplication(options.peer, settings)
}
