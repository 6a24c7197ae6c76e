import { randomBytes } from 'node:crypto'
import { createIdentity, ed25519 } from '@p2pl/core'
import type { Role } from '../harness/child.ts'
import { timed } from './mailbox.ts'

/** What the machine can do at most: signatures of entries, many at once, with nothing else around them. Milliseconds. */
export interface Signatures {
  /** Makes the messages and their signatures, so that neither time nor processor time of it counts. */
  prepare(count: number, size: number): Promise<void>
  sign(): Promise<{ time: number }>
  verify(): Promise<{ time: number }>
}

const atOnce = 64

const signatures: Role<object, Signatures> = async () => {
  const identity = await createIdentity()
  let bytes: Uint8Array<ArrayBuffer>[] = []
  let signed: Uint8Array<ArrayBuffer>[] = []
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
    prepare: async (count, size) => {
      bytes = messages(count, size)
      signed = await Promise.all(bytes.map((message) => identity.sign(message)))
    },
    sign: async () => ({ time: await inParallel(bytes.length, (i) => identity.sign(bytes[i]!)) }),
    verify: async () => {
      const time = await inParallel(bytes.length, async (i) => {
        if (!(await ed25519.verify(identity.publicKey, bytes[i]!, signed[i]!)))
          throw new Error('a right signature was refused')
      })
      return { time }
    }
  }
}

export default signatures
