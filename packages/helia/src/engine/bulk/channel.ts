import { Asker, type AskerEvents } from './asker.ts'
import { Decoder } from './decoder.ts'
import { Kind } from './frames.ts'
import type { Pipe, PipeEvents } from './pipe.ts'
import { asError, Server, type Serving } from './server.ts'

export interface ChannelEvents extends AskerEvents {
  /** This many bytes of blocks arrived. */
  received(bytes: number): void
  /** A frame about a lane arrived. */
  lane(kind: number, body: Uint8Array): void
  /** Nothing more will arrive; outstanding wants stay unanswered. */
  end(): void
}

/** Both directions of one pipe: what this peer wants from the other one, and what the other one wants from this peer. */
export class Channel {
  readonly pipe: Pipe
  readonly asker: Asker
  readonly #server: Server

  constructor(peer: string, open: (events: PipeEvents) => Pipe, serving: Serving, events: ChannelEvents) {
    const decoder = new Decoder({
      expects: (id) => this.asker.expects(id),
      block: (id, bytes) => this.asker.block(id, bytes),
      frame: (kind, body) => {
        if (kind === Kind.want || kind === Kind.ask || kind === Kind.cancel) this.#server.frame(kind, body)
        else if (kind === Kind.have || kind === Kind.missing) this.asker.frame(kind, body)
        else if (kind === Kind.laneRequest || kind === Kind.lane) events.lane(kind, body)
      }
    })
    this.pipe = open({
      data: (chunk) => {
        events.received(chunk.byteLength)
        try {
          decoder.push(chunk)
        } catch (error) {
          this.pipe.abort(asError(error))
        }
      },
      end: () => events.end()
    })
    this.asker = new Asker(this.pipe, events)
    this.#server = new Server(peer, this.pipe, serving)
  }

  get open(): boolean {
    return this.pipe.open
  }

  /** Whether nothing is in progress. */
  get idle(): boolean {
    return this.asker.size === 0 && !this.#server.busy
  }
}
