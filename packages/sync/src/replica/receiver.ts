import type { Breather, Budget } from '@p2pl/core/backend'
import type { DropReason } from '../intake/checks.ts'
import type { Intake } from '../intake/intake.ts'
import { limits } from '../limits.ts'
import type { Answers } from '../repair/answers.ts'
import type { Repair } from '../repair/repair.ts'
import { decodeMessage } from '../wire/messages.ts'
import type { Announcement, Beacon, WireMessage } from '../wire/messages.ts'

export interface ReceiverOptions {
  readonly breather: Breather
  /** Bytes of messages that are being handled. */
  readonly handling: Budget
  readonly intake: Intake
  readonly repair: Repair
  readonly answers: Answers
  readonly wasted: (sender: string, bytes: number) => void
  readonly dropped: (reason: DropReason) => void
  /** `bytes`: the size of the message. */
  readonly beacon: (sender: string, beacon: Beacon, bytes: number) => Promise<void>
}

/** The cost of a message in addition to its bytes while it is handled. */
const overhead = 4096

/**
 * Decodes messages and passes them to the parts that they concern. Each sender stays within its budget, and there is a
 * turn of the event loop in between.
 */
export class Receiver {
  readonly #options: ReceiverOptions

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  /** Resolves when the next message may come; this one may still be in progress then. Never rejects. */
  async receive(sender: string, payload: Uint8Array): Promise<void> {
    const { breather, handling, wasted, dropped } = this.#options
    if (payload.length > limits.maxMessageBytes) {
      wasted(sender, payload.length)
      dropped('oversized')
      return
    }
    const giveBack = handling.take(sender, payload.length + overhead)
    if (giveBack === undefined) {
      dropped('overloaded')
      return
    }
    await breather.before(payload.length)
    let message: WireMessage
    try {
      message = decodeMessage(payload)
    } catch {
      giveBack()
      wasted(sender, payload.length)
      dropped('garbage')
      return
    }
    // A failure here means that the store or the backend has ended, and then the view ends too.
    void this.#handle(sender, message, payload.length)
      .catch(() => undefined)
      .finally(giveBack)
  }

  async #handle(sender: string, message: WireMessage, bytes: number): Promise<void> {
    const { repair, answers, beacon } = this.#options
    switch (message.kind) {
      case 'announcement':
        await this.#announced(sender, message)
        break
      case 'beacon':
        await beacon(sender, message, bytes)
        break
      case 'request':
        repair.overheard(message.wanted)
        answers.request(sender, message, bytes)
        break
      case 'answer':
        await answers.overheard(message)
        await repair.answer(sender, message)
    }
  }

  async #announced(sender: string, { providers, entries }: Announcement): Promise<void> {
    const all = entries.map((bytes) => bytes.slice())
    await this.#options.intake.offerMany(all, { sender, providers, depth: 0 })
  }
}
