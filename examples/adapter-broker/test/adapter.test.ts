import { freePort, until } from '@p2pl/tooling-vitest'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startBroker } from '../src/broker.ts'
import { backend } from '../src/index.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

interface Asked {
  readonly hello?: string
  readonly n?: number
}

/** A broker that answers what it is sent with the given text, or not at all. */
async function oddBroker(answer: string | undefined | ((line: Asked) => string | undefined)): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', (data: Buffer) => {
      const text =
        typeof answer === 'function' ? answer(JSON.parse(data.toString().split('\n')[0] ?? '') as Asked) : answer
      if (text !== undefined) socket.write(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

describe('the adapter', () => {
  it('says what to do where no broker answers', async () => {
    const port = await freePort()
    await expect(backend({ port }).start()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      message: `no broker answers on port ${port}: start it, or name its port`
    })
  })

  it('refuses a port that is none, and options that it does not have', () => {
    for (const options of [{ port: 0 }, { port: 70_000 }, { port: 1.5 }, { port: 1, host: 'x' }])
      expect(() => backend(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it.each([
    ['no JSON', 'hello?\n'],
    ['a value that is no object', 'null\n'],
    ['a line without end', 'x'.repeat(600_000)]
  ])('ends the connection to a broker that says %s', async (_, answer) => {
    const port = await oddBroker(answer)
    await expect(backend({ port }).start()).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  it('ends its start with its signal where the broker says nothing', async () => {
    const port = await oddBroker(undefined)
    const started = backend({ port }).start({ signal: AbortSignal.timeout(50) })
    await expect(started).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('notices a broker that says nothing any more', async () => {
    const port = await oddBroker((line) => ('hello' in line ? `{"ok":${line.n}}\n` : undefined))
    const peer = backend({ port })
    const degraded = new Promise<void>((resolve) => {
      const onEvent = (event: { type: string }): void => {
        if (event.type === 'degraded') resolve()
      }
      void peer.start({ onEvent })
    })
    cleanups.push(async () => await peer.stop())
    await degraded
  })

  it('keeps its connection where this process stands still for longer than a broker may be silent', async () => {
    const broker = await startBroker()
    cleanups.push(async () => await broker.close())
    const events: string[] = []
    const peer = backend({ port: broker.port })
    await peer.start({ onEvent: ({ type }) => void events.push(type) })
    cleanups.push(async () => await peer.stop())
    // When it goes on, its timers come first.
    await new Promise((resolve) => setTimeout(resolve, 1))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_600)
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(await peer.messages?.publish('t', new Uint8Array(1))).toEqual({ recipients: 0 })
    expect(events).toEqual([])
  })

  it('comes back by itself when the broker was started again', async () => {
    const first = await startBroker(await freePort())
    const { port } = first
    const [a, b] = [backend({ port }), backend({ port })]
    const events: string[] = []
    await a.start({ onEvent: ({ type }) => void events.push(type) })
    await b.start()
    for (const each of [a, b]) cleanups.push(async () => await each.stop())
    const heard: string[] = []
    await b.messages?.subscribe('t', {
      message: ({ payload }) => {
        heard.push(new TextDecoder().decode(payload))
        return 'accept'
      },
      gap: ({ reason }) => void heard.push(reason),
      state: (state) => void heard.push(state)
    })
    await first.close()
    await until('both have noticed the loss', () => heard.includes('healing') && events.includes('degraded'))
    const lost = a.messages?.publish('t', new TextEncoder().encode('lost'))
    await expect(lost).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
    const second = await startBroker(port)
    cleanups.push(async () => await second.close())
    await until('the topic is joined again', () => heard.includes('live'))
    await until('the other is connected again', async () => {
      const result = await a.messages?.publish('t', new TextEncoder().encode('back')).catch(() => undefined)
      return (result?.recipients ?? 0) > 0
    })
    await until('the message arrives', () => heard.includes('back'))
    expect(heard.slice(0, 4)).toEqual(['healing', 'disconnected', 'live', 'back'])
  })
})
