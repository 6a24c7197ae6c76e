import type { RemoteLedger } from '../service/remote.ts'
import type { Branch } from './accounts.ts'

/** One peer of the demonstration, while it runs. */
export interface RunningPeer {
  readonly name: Branch
  readonly url: string
  /** Every request goes through the HTTP API, as in any other program. */
  readonly ledger: RemoteLedger
  /** Absent where all peers share this process. */
  readonly pid?: number | undefined
  /** Resolves when it has ended: `SIGKILL`, `code 1`. Absent where it cannot end by itself. */
  readonly ended?: Promise<string> | undefined
  /** Ends it without warning. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Starts peers. A peer that was started before continues where it stopped. */
export interface Fleet {
  /** What stands between the peers: `3 processes`. */
  readonly description: string
  /** How it ends a peer without warning. */
  readonly killing: string
  start(name: Branch): Promise<RunningPeer>
}

export interface FleetOptions {
  /** One folder per peer, made by `prepareNetwork`. */
  readonly folderOf: (name: Branch) => string
  /** Backend of each peer; see `--backend`. */
  readonly backendOf: (name: Branch) => string
  /** Port of each peer's HTTP API; 0 for any free one. */
  readonly portOf: (name: Branch) => number
  /** Addresses for the engine to listen on; empty for its default. */
  readonly listenOf: (name: Branch) => readonly string[]
  /** Added to the environment of each peer that is a process. */
  readonly envOf: (name: Branch) => Record<string, string>
  readonly beaconPeriod: number
}
