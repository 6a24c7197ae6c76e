import { encode } from '@ipld/dag-cbor'
import type { Cryptography, Identity } from '@p2pl/core'
import { publicKeyFromPeerId } from '@p2pl/core'
import { encodeContent } from './content.ts'
import type { FrameHead, Say } from './frame.ts'

type Signed = Pick<Say, 'channel' | 'content'> & Pick<FrameHead, 'stay' | 'n'>

/** The bytes that the author of a broadcast signs, so that other peers can pass it on: DAG-CBOR with a domain and the topic. */
function signedBytes(topic: string, { stay, n, channel, content }: Signed): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode(['p2pl/room/1 say', topic, stay, n, channel, encodeContent(content)]))
}

export async function signSay(identity: Identity, topic: string, say: Signed): Promise<Uint8Array> {
  return await identity.sign(signedBytes(topic, say))
}

/** Whether `sender` signed it. Never throws. */
export async function verifySay(
  cryptography: Cryptography,
  topic: string,
  sender: string,
  say: Signed & Pick<Say, 'signature'>
): Promise<boolean> {
  try {
    const key = publicKeyFromPeerId(sender)
    return await cryptography.verify(key, signedBytes(topic, say), new Uint8Array(say.signature))
  } catch {
    return false
  }
}

/** The same at every peer. */
export function sayId(sender: string, stay: Uint8Array, n: number): string {
  return `${sender}/${Array.from(stay, (byte) => byte.toString(16).padStart(2, '0')).join('')}/${n}`
}
