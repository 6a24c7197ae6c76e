import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Ended {
  readonly code: number
  readonly out: string
}

/** Runs a script that has nothing but its pending call to stay alive for. */
async function run(body: string): Promise<Ended> {
  const bus = new URL('../support/bus.ts', import.meta.url)
  const store = new URL('../data/store-backend.ts', import.meta.url)
  const core = new URL('../../src/index.ts', import.meta.url)
  const script = `
    import { createBus } from ${JSON.stringify(fileURLToPath(bus))}
    import { storeBackend } from ${JSON.stringify(fileURLToPath(store))}
    import { createPeer } from ${JSON.stringify(fileURLToPath(core))}
    const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    const store = await storeBackend()
    store.onGet = () => new Promise(() => {})
    const peer = await createPeer({ messages: createBus().backend('a'), data: store })
    const codeOf = (call) => call.then(() => 'resolved', (error) => error.code)
    ${body}`
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { timeout: 150_000 }, (error, out) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out: out.trim() })
    })
  })
}

describe('a process with nothing but a pending call', () => {
  it.each([
    ['publish', `codeOf(peer.topic('t').publish(new Uint8Array(1), { timeout: 300 }))`, 'NO_PEERS'],
    [
      'publish on a raw topic',
      `codeOf(peer.topic('t', { mode: 'raw' }).publish(new Uint8Array(1), { timeout: 300 }))`,
      'NO_PEERS'
    ],
    ['ready', `codeOf(peer.topic('t').ready({ timeout: 300 }))`, 'TIMEOUT'],
    ['data.bytes', `codeOf(peer.data.bytes(cid, { timeout: 300 }))`, 'TIMEOUT'],
    ['data.get', `codeOf(peer.data.get(cid, { timeout: 300 }).next())`, 'TIMEOUT'],
    ['blocks.get', `codeOf(peer.blocks.get(cid, { timeout: 300 }))`, 'TIMEOUT'],
    [
      'a call without a timeout that is aborted later',
      `(() => { const c = new AbortController(); setTimeout(() => c.abort(), 300).unref(); return codeOf(peer.blocks.get(cid, { timeout: Infinity, signal: c.signal })) })()`,
      'ABORTED'
    ]
  ])('stays until %s has ended', async (_name, call, code) => {
    expect(await run(`console.log(await ${call})`)).toEqual({ code: 0, out: code })
  })

  it('stays while a subscription is read', async () => {
    const body = `
      const subscription = peer.topic('t').subscribe()
      setTimeout(() => void subscription.close(), 300).unref()
      for await (const item of subscription) console.log(item)
      console.log('ended')`
    expect(await run(body)).toEqual({ code: 0, out: 'ended' })
  })

  it('ends when the peer is idle, though it was not stopped', async () => {
    const body = `
      await peer.topic('t').publish(new Uint8Array(1), { recipients: 0 })
      await peer.data.add('text')
      await peer.topic('t').subscribe().joined
      console.log('idle')`
    expect(await run(body)).toEqual({ code: 0, out: 'idle' })
  })
})
