import type { Socket } from 'node:net'
import type { Link } from './link.ts'

/**
 * How much a link is worth: `kept` never makes room, `useful` only after it has brought nothing for a while, `idle` at
 * once.
 */
export type Worth = 'kept' | 'useful' | 'idle'

/**
 * How long (ms) a connection is safe from making room: while it is being opened, while it is an idle link, and after
 * useful data.
 */
const openingGrace = 2_000
const idleGrace = 1_000
const usefulGrace = 30_000
/**
 * Useful links make room one at a time, so that a network with more peers than places does not replace links all the
 * time.
 */
const usefulInterval = 1_000

/** A TCP connection of any kind. */
export class Place {
  readonly socket: Socket
  readonly host: string
  readonly outgoing: boolean
  readonly since: number = performance.now()
  /** Set when it has become a link. */
  link: Link | undefined
  /** Whether it belongs to a torrent. */
  torrent = false
  #bytes = 0
  #movedAt = this.since

  constructor(socket: Socket, host: string, outgoing: boolean) {
    this.socket = socket
    this.host = host
    this.outgoing = outgoing
  }

  /** When a look last saw that bytes had moved. */
  get movedAt(): number {
    return this.#movedAt
  }

  look(): void {
    const bytes = this.socket.bytesRead + this.socket.bytesWritten
    if (bytes !== this.#bytes) this.#movedAt = performance.now()
    this.#bytes = bytes
  }
}

/** The places for connections. When all are taken, a newcomer replaces the connection that is worth least. */
export class Places {
  readonly #max: number
  readonly #worth: (link: Link) => Worth
  readonly #places = new Set<Place>()
  #usefulLeftAt = -Infinity

  constructor(max: number, worth: (link: Link) => Worth) {
    this.#max = max
    this.#worth = worth
  }

  /** Whether a newcomer would get no place. */
  get full(): boolean {
    return this.#places.size >= this.#max && this.#leastWorth() === undefined
  }

  all(): readonly Place[] {
    return [...this.#places]
  }

  /**
   * Takes a place until the socket closes. Returns `undefined` when every other connection is worth more than a
   * newcomer.
   */
  enter(socket: Socket, host: string, outgoing: boolean): Place | undefined {
    if (this.#places.size >= this.#max) {
      const least = this.#leastWorth()
      if (least === undefined) return undefined
      if (this.#worthOf(least) === 'useful') this.#usefulLeftAt = performance.now()
      this.#places.delete(least)
      least.socket.destroy()
    }
    const place = new Place(socket, host, outgoing)
    this.#places.add(place)
    socket.once('close', () => this.#places.delete(place))
    return place
  }

  /** Checks which torrent connections have moved bytes since the last look. */
  look(): void {
    for (const place of this.#places) if (place.torrent) place.look()
  }

  #leastWorth(): Place | undefined {
    const now = performance.now()
    const idle = this.#oldest((place) => {
      if (place.torrent) return before(place.movedAt, now - usefulGrace)
      return this.#worthOf(place) === 'idle' && place.since < now - idleGrace ? place.link?.usefulAt : undefined
    })
    if (now - this.#usefulLeftAt < usefulInterval) return this.#opening(now) ?? idle
    const useful = (place: Place): number | undefined =>
      this.#worthOf(place) === 'useful' ? before(place.link?.usefulAt, now - usefulGrace) : undefined
    return this.#opening(now) ?? idle ?? this.#oldest(useful)
  }

  /** The oldest opening connection of the host with the most of them. */
  #opening(now: number): Place | undefined {
    const openings = [...this.#places].filter(({ link, torrent, outgoing }) => !link && !torrent && !outgoing)
    const hosts = [...Map.groupBy(openings, ({ host }) => host).values()]
    const [first] = hosts.reduce((a, b) => (b.length > a.length ? b : a), [])
    const crowd = openings.length * 4 >= this.#max
    return first !== undefined && (crowd || first.since < now - openingGrace) ? first : undefined
  }

  #worthOf({ link }: Place): Worth | undefined {
    return link === undefined ? undefined : this.#worth(link)
  }

  #oldest(timeOf: (place: Place) => number | undefined): Place | undefined {
    let found: Place | undefined
    let least = Infinity
    for (const place of this.#places) {
      const time = timeOf(place) ?? Infinity
      if (time < least) found = place
      least = Math.min(least, time)
    }
    return found
  }
}

function before(time: number | undefined, limit: number): number | undefined {
  return time !== undefined && time < limit ? time : undefined
}
