import type { Replication, ReplicationOptions } from './api.ts'
import { settingsOf } from './options.ts'
import { PeerReplication } from './replication.ts'

/** Starts to keep content at other peers. Throws `INVALID_ARGUMENT` for wrong options. Call `stop` before you stop the peer. */
export function openReplication(options: ReplicationOptions): Replication {
  const settings = settingsOf(options)
  return new PeerReplication(options.peer, settings)
}
