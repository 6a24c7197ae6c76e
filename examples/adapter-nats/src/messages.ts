import type { Msg } from '@nats-io/transport-node'
import type { MessageHooks, Subscriber } from '@p2pl/core/backend'
import type { Connection, Watcher } from './connection.ts'
import { peerOf, type Subjects } from './subjects.ts'

export function messageHooks(connection: Connection, subjects: Subjects, id: string): MessageHooks {
  return {
    publish: async (topic, payload, { signal }) => {
      const heard = await connection.publish(subjects.topic(topic, id), payload, signal)
      return { recipients: heard ? 1 : 0 }
    },
    join: async (topic, subscriber, { signal }) => {
      const joined = new Joined(subscriber)
      let refused: Error | undefined
      const subscription = connection.nc.subscribe(subjects.topic(topic, '*'), {
        callback: (error, message) => {
          if (error) refused = error
          else joined.take(message)
        }
      })
      try {
        await connection.flush(signal)
        if (refused !== undefined) throw refused
      } catch (error) {
        subscription.unsubscribe()
        throw error
      }
      connection.watchers.add(joined)
      return {
        close: async () => {
          connection.watchers.delete(joined)
          subscription.unsubscribe()
        }
      }
    }
  }
}

/** A joined topic. The library subscribes again by itself, and what was published meanwhile is lost. */
class Joined implements Watcher {
  readonly #subscriber: Required<Subscriber>
  #since: number | undefined

  constructor(subscriber: Required<Subscriber>) {
    this.#subscriber = subscriber
  }

  take({ data, subject }: Msg): void {
    const from = peerOf(subject)
    if (from === undefined) return
    // The library says that it is connected only after the first messages.
    this.back()
    // The bytes are part of a larger buffer.
    void this.#subscriber.message({ payload: new Uint8Array(data), from })
  }

  lost(since: number): void {
    this.#since ??= since
    this.#subscriber.state('healing')
  }

  back(): void {
    if (this.#since === undefined) return
    const lasted = performance.now() - this.#since
    this.#since = undefined
    this.#subscriber.gap({ reason: 'disconnected', lasted })
    this.#subscriber.state('live')
  }
}
