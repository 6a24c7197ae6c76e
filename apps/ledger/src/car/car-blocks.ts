import type { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import type { CarFile } from './car-file.ts'

const maxWaitingBytes = 256 * 1_024 * 1_024
/** The memory that a block takes in addition to its bytes. */
const overheadBytes = 256

/**
 * Returns the blocks of a CAR file by CID, each once. It reads on until the wanted block comes. An export has its
 * blocks in about the order in which a check asks for them, so few blocks wait in memory.
 */
export class CarBlocks {
  readonly #blocks: AsyncGenerator<{ cid: CID; bytes: Uint8Array }>
  readonly #waiting = new Map<string, Uint8Array>()
  #waitingBytes = 0
  #reading: Promise<void> | undefined
  #ended = false

  constructor(file: CarFile) {
    this.#blocks = file.blocks()
  }

  /** Returns `undefined` if the file does not have the block. */
  async get(cid: CID): Promise<Uint8Array | undefined> {
    const key = keyOf(cid)
    for (;;) {
      const bytes = this.#waiting.get(key)
      if (bytes !== undefined) {
        this.#waiting.delete(key)
        this.#waitingBytes -= bytes.byteLength + overheadBytes
        return bytes
      }
      if (this.#ended) return undefined
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
  }

  /** Reads the rest of the file and discards it. */
  async drain(): Promise<void> {
    for await (const _block of this.#blocks);
  }

  async #read(): Promise<void> {
    const item = await this.#blocks.next()
    if (item.done === true) {
      this.#ended = true
      return
    }
    const { cid, bytes } = item.value
    // A copy, because the bytes are a view of a larger chunk.
    this.#waiting.set(keyOf(cid), Uint8Array.from(bytes))
    this.#waitingBytes += bytes.byteLength + overheadBytes
    if (this.#waitingBytes > maxWaitingBytes)
      throw new LedgerError(
        'TOO_LARGE',
        'the blocks of this CAR file stand in an order that needs too much memory to check: export the ledger again'
      )
  }
}

function keyOf(cid: CID): string {
  return Buffer.from(cid.bytes).toString('latin1')
}
