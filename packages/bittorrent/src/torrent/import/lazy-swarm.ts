import type { TorrentInfo } from '../metainfo/info.ts'
import type { PieceStore } from '../swarm/chunk-store.ts'
import type { Swarm } from '../swarm/swarm.ts'

/**
 * The swarm of an import. It is joined only when something has to be fetched, so an import of pieces that are all here
 * contacts nobody.
 */
export class LazySwarm implements PieceStore {
  /** Where pieces are written and read, once the info is known. */
  file: PieceStore | undefined
  readonly #join: (info: TorrentInfo | undefined, store: PieceStore) => Promise<Swarm>
  #swarm: Promise<Swarm> | undefined

  constructor(join: (info: TorrentInfo | undefined, store: PieceStore) => Promise<Swarm>) {
    this.#join = join
  }

  /** The info, as the swarm has it. */
  async info(signal: AbortSignal): Promise<TorrentInfo> {
    return await (await this.#joined(undefined)).info(signal)
  }

  async piece(info: TorrentInfo, index: number, signal: AbortSignal): Promise<Uint8Array> {
    return await (await this.#joined(info)).piece(index, signal)
  }

  leave(): void {
    this.#swarm?.then(
      (swarm) => swarm.stop(),
      () => {}
    )
  }

  async read(start: number, length: number): Promise<Uint8Array> {
    if (this.file === undefined) throw new Error('nothing is here yet')
    return await this.file.read(start, length)
  }

  async write(index: number, bytes: Uint8Array): Promise<void> {
    await this.file?.write(index, bytes)
  }

  #joined(info: TorrentInfo | undefined): Promise<Swarm> {
    this.#swarm ??= this.#join(info, this)
    return this.#swarm
  }
}
