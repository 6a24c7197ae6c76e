import { Buffer } from 'node:buffer'

/** The subjects of one network. Permissions of the server can be given by them: the last part is the id of the peer that publishes. */
export class Subjects {
  readonly #network: string

  constructor(network: string) {
    this.#network = network
  }

  topic(topic: string, id: string): string {
    return `${this.#network}.topic.${Buffer.from(topic).toString('base64url')}.${id}`
  }

  /** Where the peer says that its bucket has a block. */
  have(block: string, id: string): string {
    return `${this.#network}.have.${block}.${id}`
  }

  /** Where the peer answers while it runs. */
  peer(id: string): string {
    return `${this.#network}.peer.${id}`
  }
}

/** The id at the end of a subject; `undefined` where it is none. */
export function peerOf(subject: string): string | undefined {
  return /\.([0-9a-f]{32})$/.exec(subject)?.[1]
}
