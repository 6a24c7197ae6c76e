import type { RemoteLedger } from '../service/remote.ts'
import type { Branch } from './accounts.ts'

/** A running peer of the demonstration. */
export interface RunningPeer {
  readonly name: Branch
  readonly url: string
  /** Every request uses the HTTP API, as in any other program. */
  readonly ledger: RemoteLedger
  /** Absent if all peers share this process. */
  readonly pid?: number | undefined
  /** Resolves when it has ended, with `SIGKILL` or `code 1` for example. Absent if it cannot end by itself. */
  readonly ended?: Promise<string> | undefined
  /** Ends it without warning. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Starts peers. A peer that was started before continues where it stopped. */
export interface Fleet {
  /** What separates the peers, for example `3 processes`. */
  readonly description: string
  /** How a peer is killed, as text. */
  readonly killing: string
  start(name: Branch): Promise<RunningPeer>
}

export interface FleetOptions {
  /** One folder per peer, made by `prepareNetwork`. */
  readonly folderOf: (name: Branch) => string
  /** The backend of each peer; see `--backend`. */
  readonly backendOf: (name: Branch) => string
  /** The port of each peer's HTTP API; 0 picks a free one. */
  readonly portOf: (name: Branch) => number
  /** Addresses for the engine to listen on; empty for its default. */
  readonly listenOf: (name: Branch) => readonly string[]
  /** Added to the environment of each peer that runs as a process. */
  readonly envOf: (name: Branch) => Record<string, string>
  readonly beaconPeriod: number
}
