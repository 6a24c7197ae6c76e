import { yamux } from '@libp2p/yamux'
import { concatBytes } from '@p2pl/core/backend'
import { endFramesQuietly } from '../connections/frame-ends.ts'
import { requireMembers, type Members } from '../members.ts'
import { type Line, Silence } from './silence.ts'
import { Turns } from './turns.ts'
import { widenInPieces, type WindowedStream } from './windows.ts'

/** Some 5 ms of work if each frame has to be answered. */
const framesPerTurn = 128
/** When this many bytes of answers wait for a peer that does not read them, its connection is closed. */
const maxUnread = 1024 * 1024
/** The most frames of an ended connection that are still processed: usually more than one chunk of its socket holds. */
const maxLeftOver = 1_024

type Make = ReturnType<typeof yamux>
type Connection = Parameters<ReturnType<Make>['createStreamMuxer']>[0]
type Bytes = Parameters<Connection['send']>[0]

/** The members of the muxer that this package uses beyond its published interface. */
interface Muxer {
  readonly maConn: Connection
  readonly status: string
  readonly decoder: { readonly buffer: { append(data: Bytes): void }; readFrame(): unknown }
  onData(data: Bytes): void
  send(data: Bytes): boolean
  handleFrame(frame: unknown): void
  ping(): Promise<number>
  onTransportClosed(error?: Error): void
  abort(error: Error): void
  /** Called for each stream, whichever side opened it. */
  _newStream(...rest: unknown[]): WindowedStream
}

export const muxerMembers: Members = {
  'decoder.buffer.append': 'function',
  'decoder.readFrame': 'function',
  onData: 'function',
  send: 'function',
  handleFrame: 'function',
  ping: 'function',
  onTransportClosed: 'function',
  abort: 'function',
  _newStream: 'function'
}

/**
 * Yamux that processes the frames of all connections in turns of the event loop. The engine processes everything that
 * has arrived before anything else gets a turn, and answers each ping and each piece separately, so a peer that sent
 * tiny frames delayed all others for up to a second. Connections whose peer no longer answers are closed.
 */
export function muxing(options: Parameters<typeof yamux>[0]): Make {
  const make = yamux({ enableKeepAlive: false, ...options })
  const turns = new Turns(framesPerTurn)
  const silence = new Silence()
  return () => {
    const factory = make()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      endFramesQuietly(connection)
      const muxer = create(connection)
      tend(muxer as unknown as Muxer, turns, silence)
      return muxer
    }
    return factory
  }
}

function tend(muxer: Muxer, turns: Turns, silence: Silence): void {
  requireMembers('@libp2p/yamux', muxer, muxerMembers)
  const { maConn: connection, decoder } = muxer
  const send = muxer.send.bind(muxer)
  const onTransportClosed = muxer.onTransportClosed.bind(muxer)
  const newStream = muxer._newStream.bind(muxer)
  muxer._newStream = (...rest) => {
    const stream = newStream(...rest)
    widenInPieces(stream)
    return stream
  }
  /** The answers to the frames that are being processed. */
  let answers: Uint8Array[] | undefined
  let unread = 0
  let paused = false
  let ended = false

  muxer.send = (data) => {
    if (answers === undefined) return send(data)
    answers.push(data.subarray())
    return true
  }
  connection.addEventListener('drain', () => {
    unread = 0
  })

  const answer = (bytes: Uint8Array): void => {
    if (ended || bytes.byteLength === 0 || send(bytes)) return
    unread += bytes.byteLength
    if (unread > maxUnread) throw new Error('the peer does not read the answers to its frames')
  }
  const work = (most: number): number => {
    let count = 0
    answers = []
    try {
      while (count < most && muxer.status !== 'closed') {
        const frame = decoder.readFrame()
        if (frame === undefined) break
        count++
        muxer.handleFrame(frame)
      }
      const bytes = concatBytes(...answers)
      answers = undefined
      answer(bytes)
    } catch (error) {
      answers = undefined
      fail(error)
      return 0
    }
    if (count < most) resume()
    return count
  }
  const fail = (error: unknown): void => {
    const reason = error instanceof Error ? error : new Error(String(error))
    muxer.abort(reason)
    connection.abort(reason)
  }
  const resume = (): void => {
    if (!paused) return
    paused = false
    try {
      connection.resume()
    } catch {
      // The socket has ended, but what it brought is still delivered.
    }
  }

  const line: Line = {
    dialled: connection.direction === 'outbound',
    ended: () => ended || muxer.status === 'closed',
    busy: () => turns.has(work),
    ask: () => void muxer.ping().catch(() => {}),
    giveUp: () => fail(new Error('the peer does not answer any more'))
  }
  silence.watch(line)

  muxer.onData = (data) => {
    silence.heard(line)
    decoder.buffer.append(data)
    if (turns.has(work)) return
    turns.run(work)
    // The peer is held back until its frames are processed.
    if (!turns.has(work) || ended) return
    paused = true
    connection.pause()
  }
  muxer.onTransportClosed = (error) => {
    const working = answers !== undefined
    const isFirst = !ended
    ended = true
    if (isFirst && !working) {
      resume()
      work(maxLeftOver)
    }
    onTransportClosed(error)
  }
}
