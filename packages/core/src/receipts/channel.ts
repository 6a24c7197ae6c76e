import type { Topic } from '../api/topic.ts'
import { decodeNote, encodeNote, maxNoteBytes, type Note } from './wire.ts'

/** Takes a note whose sender (`peer.id`) was checked. It never throws. */
export type NoteListener = (sender: string, note: Note) => void

/** Maximum number of notes that wait to be read. */
const maxQueued = 1_024

/** The topic on which peers of one group ask each other. It is joined only while somebody here listens. */
export class Channel {
  readonly #topic: () => Topic
  readonly #listeners = new Set<NoteListener>()
  #open: { readonly joined: Promise<void>; readonly close: () => void } | undefined

  constructor(topic: () => Topic) {
    this.#topic = topic
  }

  /** Resolves when the topic is joined, with the function that ends it. */
  async listen(listener: NoteListener): Promise<() => void> {
    this.#listeners.add(listener)
    const leave = (): void => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
      this.#open?.close()
      this.#open = undefined
    }
    try {
      this.#open ??= this.#subscribe()
      await this.#open.joined
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Sends to all peers that listen now. A note may get lost; a peer that needs an answer sends it again. */
  send(note: Note): void {
    this.deliver(note).catch(() => undefined)
  }

  /** Like `send`, but resolves when the engine has the note. */
  async deliver(note: Note, signal?: AbortSignal): Promise<void> {
    await this.#topic().publish(encodeNote(note), { recipients: 0, signal })
  }

  #subscribe(): { readonly joined: Promise<void>; readonly close: () => void } {
    const subscription = this.#topic().subscribe({ maxPayloadBytes: maxNoteBytes, maxQueuedMessages: maxQueued })
    const read = async (): Promise<void> => {
      for await (const item of subscription) {
        const note = item.type === 'message' ? decodeNote(item.payload) : undefined
        if (note !== undefined && item.sender !== undefined)
          for (const listen of this.#listeners) listen(item.sender, note)
      }
    }
    // The reader ends when nobody listens, or with the same error as `joined`.
    read().catch(() => undefined)
    return {
      joined: subscription.joined,
      close: () => {
        subscription.close().catch(() => undefined)
      }
    }
  }
}
