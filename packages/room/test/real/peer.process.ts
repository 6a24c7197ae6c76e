// A peer in a process of its own, in one room, with a Yjs document.
import { createHash } from 'node:crypto'
import { type Codec, createPeer, type PeerInfo } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest/seed'
import { answer } from '@p2pl/tooling-vitest/answer'
import { Doc } from 'yjs'
import { joinRoom, type Room, type RoomOptions } from '../../src/index.ts'
import { bindDocument } from '../../src/yjs.ts'
import { pullCable } from './cable.ts'
import { type Engine, engines } from './engines.ts'

export interface Heard {
  readonly sender: string
  readonly payload: unknown
  readonly direct: boolean
  readonly history: boolean
}

export interface Progress {
  readonly bytes: number
  readonly total: number
}

const bytes: Codec<Uint8Array> = { name: 'bytes', encode: (value) => value, decode: (value) => value }
const peer = await createPeer({ backend: engines[process.argv[2] as Engine]() })
const heard: Heard[] = []
const progress: Progress[] = []
const doc = new Doc()
const stored: string[] = []
const { data } = peer
const add = data.add.bind(data)
data.add = async (source, options) => {
  const added = await add(source, options)
  stored.push(String(added.cid))
  return added
}
let room: Room | undefined

function joined(): Room {
  if (room === undefined) throw new Error('it is in no room')
  return room
}

answer({
  self: () => [...peer.network.self()],
  connect: async (other: PeerInfo[]) => await peer.network.connect(other),
  join: async (options: RoomOptions) => {
    room = await joinRoom(peer, 'tool-library', options)
    room.onMessage(({ sender, payload, direct, history }) => heard.push({ sender, payload, direct, history }))
    room.onRequest((question) => `${options.name} has a ${question as string}`)
    room.channel('files', { codec: bytes }).onMessage(({ sender, payload, direct, history }) => {
      heard.push({ sender, payload: digest(payload), direct, history })
    })
    room.onEvent((event) => {
      if (event.type === 'progress') progress.push({ bytes: event.bytes, total: event.total })
    })
    bindDocument(room, doc)
    return { id: room.id, topic: room.topic }
  },
  names: () => [...joined().peers.values()].map(({ name }) => name),
  heard: () => heard,
  progress: () => progress,
  stored: () => stored,
  send: async (text: string, to?: string) => await joined().send(text, { to }),
  request: async (to: string, question: string) => await joined().request(to, question),
  sendFile: async (size: number, seed: number) => {
    const content = seededBytes(size, seed)
    await joined().channel('files', { codec: bytes }).send(content)
    return digest(content)
  },
  write: (text: string) => doc.getText('t').insert(0, text),
  text: () => doc.getText('t').toJSON(),
  pullCable: (pull: boolean) => pullCable(pull)
})

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
