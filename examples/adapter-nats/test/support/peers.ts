import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backend, type Block, type ErrorCode, isP2plError, sleep } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { backend, type Options } from '../../src/index.ts'

/** Peers, servers and folders of one test file, which end together. */
export class Place {
  readonly #ends: (() => Promise<unknown>)[] = []

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'p2pl-nats-'))
    this.defer(async () => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  defer(end: () => Promise<unknown>): void {
    this.#ends.push(end)
  }

  async peer(options: Options, onEvent?: (event: { type: string }) => void): Promise<Backend> {
    const made = backend(options)
    await made.start({ onEvent })
    this.defer(async () => await made.stop())
    return made
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}

export async function block(length = 64): Promise<Block> {
  const bytes = new Uint8Array(randomBytes(length))
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export async function collect<T>(items: AsyncIterable<T> | undefined): Promise<T[]> {
  const all: T[] = []
  for await (const item of items ?? []) all.push(item)
  return all
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** What a subscriber heard, in order: the text of messages, `gap`, and states. */
export async function listen(peer: Backend, topic: string): Promise<string[]> {
  const heard: string[] = []
  await peer.messages?.subscribe(topic, {
    message: ({ payload }) => {
      heard.push(new TextDecoder().decode(payload))
      return 'accept'
    },
    gap: () => void heard.push('gap'),
    state: (state) => void heard.push(state)
  })
  return heard
}

export async function rejects(
  work: Promise<unknown> | undefined,
  code: ErrorCode,
  message: RegExp = /./
): Promise<void> {
  await assert.rejects(Promise.resolve(work), (error) => {
    assert.ok(isP2plError(error, code), `${code}, not ${String(error)}`)
    assert.match(error.message, message)
    return true
  })
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 100_000
  while (!(await condition())) {
    assert.ok(performance.now() < end, what)
    await sleep(20)
  }
}
