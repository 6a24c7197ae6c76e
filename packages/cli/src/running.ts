import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerInfo } from '@p2pl/core'
import { isAlive } from './tools/index.ts'

/** A peer that runs in another process of this user. */
export interface RunningPeer {
  readonly pid: number
  /** The command of that process, such as `sub`. */
  readonly command: string
  readonly self: readonly PeerInfo[]
  readonly topics: readonly string[]
}

const maxFileBytes = 64 * 1024

/**
 * The peers that are running, as files in a folder. So two terminals of one user find each other without an address. Only
 * this user may read or write the folder.
 */
export class RunningPeers {
  readonly #folder: string

  constructor(dir: string) {
    this.#folder = join(dir, 'running')
  }

  /** Makes a peer of this process known to others. Returns the function that ends this. */
  async add(peer: Omit<RunningPeer, 'pid'>): Promise<() => Promise<void>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const file = join(this.#folder, `${process.pid}.json`)
    const part = `${file}.part`
    await writeFile(part, JSON.stringify({ ...peer, pid: process.pid }), { mode: 0o600 })
    await rename(part, file)
    return async () => await rm(file, { force: true })
  }

  /** The peers of other processes. Removes the files of processes that have ended. */
  async list(): Promise<RunningPeer[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const found = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map(async (name) => await this.#read(join(this.#folder, name)))
    )
    return found.filter((peer) => peer !== undefined)
  }

  async #read(file: string): Promise<RunningPeer | undefined> {
    const text = await readFile(file, 'utf8').catch(() => '')
    const peer = text.length > maxFileBytes ? undefined : parse(text)
    if (peer === undefined || peer.pid === process.pid) return undefined
    if (isAlive(peer.pid)) return peer
    await rm(file, { force: true }).catch(() => undefined)
    return undefined
  }
}

function parse(text: string): RunningPeer | undefined {
  try {
    const { pid, command, self, topics } = JSON.parse(text) as Partial<RunningPeer>
    if (!Number.isSafeInteger(pid) || !Array.isArray(self) || !Array.isArray(topics)) return undefined
    return { pid: pid as number, command: String(command), self: self as PeerInfo[], topics: topics.map(String) }
  } catch {
    return undefined
  }
}
