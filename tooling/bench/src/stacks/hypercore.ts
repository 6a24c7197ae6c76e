import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { alternative } from './alternatives.ts'
import type { OpenStack } from './stack.ts'

interface Core {
  readonly key: Buffer
  readonly length: number
  ready(): Promise<void>
  append(blocks: readonly Uint8Array[] | Uint8Array): Promise<{ length: number }>
  get(index: number): Promise<Uint8Array>
  download(range: { start: number; end: number }): { done(): Promise<void> }
  update(options: { wait: boolean }): Promise<boolean>
  clear(start: number, end: number): Promise<unknown>
  replicate(isInitiator: boolean): Duplex
}

interface Address {
  readonly key: Uint8Array
  readonly port: number
}

/** Larger files are split into blocks of this size (bytes). */
const blockBytes = 65_536

/**
 * One core of one writer, replicated over TCP through its own encrypted streams. It signs its head, not each entry: a
 * head vouches for all earlier entries of this single author.
 */
const hypercore: OpenStack<{ readonly folder: string }> = async ({ folder }) => {
  const { default: Hypercore } = await alternative<{ default: new (folder: string, key?: Buffer) => Core }>('hypercore')
  let opened: Core | undefined
  const core = async (key?: Uint8Array): Promise<Core> => {
    opened ??= new Hypercore(folder, key === undefined ? undefined : Buffer.from(key))
    await opened.ready()
    return opened
  }
  const link = (socket: Duplex, replication: Duplex): void => {
    socket.pipe(replication).pipe(socket)
    for (const stream of [socket, replication]) stream.on('error', () => undefined)
  }
  const server = createServer((socket) => void core().then((at) => link(socket.setNoDelay(), at.replicate(false))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    self: async (): Promise<Address> => ({ key: (await core()).key, port: (server.address() as AddressInfo).port }),
    connect: async (to) => {
      const { key, port } = to as Address
      const at = await core(key)
      const socket = connect(port, '127.0.0.1').setNoDelay()
      await once(socket, 'connect')
      link(socket, at.replicate(true))
    },
    content: {
      add: async (bytes) => {
        const at = await core()
        const blocks: Uint8Array[] = []
        for (let i = 0; i < bytes.byteLength; i += blockBytes) blocks.push(bytes.subarray(i, i + blockBytes))
        const { length } = await at.append(blocks)
        return `${length - blocks.length}-${length}`
      },
      get: async (range) => {
        const at = await core()
        const [start = 0, end = 0] = range.split('-').map(Number)
        await at.download({ start, end }).done()
        let bytes = 0
        for (let i = start; i < end; i++) bytes += (await at.get(i)).byteLength
        return bytes
      },
      forget: async () => {
        const at = await core()
        await at.clear(0, at.length)
      }
    },
    log: {
      append: async (payload) => await (await core()).append(payload),
      catchUp: async (count) => {
        const at = await core()
        while (at.length < count) await at.update({ wait: true })
        await at.download({ start: 0, end: count }).done()
      }
    }
  }
}

export default hypercore
