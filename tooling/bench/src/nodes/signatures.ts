import { randomBytes } from 'node:crypto'
import { createIdentity, ed25519 } from '@p2pl/core'
import type { Role } from '../harness/child.ts'
import { timed } from './mailbox.ts'

/** What the machine can do at most: signatures of entries, many at once, with nothing else around them. Milliseconds. */
export interface Signatures {
  sign(count: number, size: number): Promise<{ time: number }>
  verify(count: number, size: number): Promise<{ time: number }>
}

const atOnce = 64

const signatures: Role<object, Signatures> = async () => {
  const identity = await createIdentity()
  const inParallel = (count: number, work: (i: number) => Promise<unknown>): Promise<number> => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) await work(next++)
    }
    return timed(() => Promise.all(Array.from({ length: atOnce }, worker)))
  }
  const messages = (count: number, size: number): Uint8Array<ArrayBuffer>[] =>
    Array.from({ length: count }, () => new Uint8Array(randomBytes(size)))
  return {
    sign: async (count, size) => {
      const bytes = messages(count, size)
      return { time: await inParallel(count, (i) => identity.sign(bytes[i]!)) }
    },
    verify: async (count, size) => {
      const bytes = messages(count, size)
      const signed = await Promise.all(bytes.map((message) => identity.sign(message)))
      const time = await inParallel(count, async (i) => {
        if (!(await ed25519.verify(identity.publicKey, bytes[i]!, signed[i]!)))
          throw new Error('a right signature was refused')
      })
      return { time }
    }
  }
}

export default signatures
