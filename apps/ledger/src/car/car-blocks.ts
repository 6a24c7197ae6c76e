import type { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import type { CarFile } from './car-file.ts'

const maxWaitingBytes = 256 * 1_024 * 1_024
/** The memory that a block takes beside its bytes. */
const overheadBytes = 256

/**
 * Gives the blocks of a CAR file by CID, each once. It reads on until the wanted block comes. An export has its blocks in about
 * the order in which a check asks for them, so few blocks wait in memory.
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

  /** `undefined` where the file does not have it. */
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

  /** Reads what is left of the file and forgets it. */
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
    // Copied, since the bytes are a view of a larger piece.
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
