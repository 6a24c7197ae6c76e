import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import type { Acknowledgement } from '../api/receipts.ts'
import { isBytesOf, isCount, isTuple } from '../envelope/checks.ts'
import { P2plError } from '../errors.ts'
import {
  type Cryptography,
  ed25519,
  type Identity,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  publicKeyLength,
  signatureLength
} from '../identity.ts'
import { concatBytes } from '../toolbox/bytes.ts'

export const nonceLength = 16
export const proofLength = 32
export const maxCidLength = 128
const maxLength = 640
const version = 1
const domain = new TextEncoder().encode('p2pl/acknowledgement/1\0')

/** An acknowledgement with the fields that only the asking peer can judge. */
export interface Proven extends Acknowledgement {
  /** Random bytes of the asking peer. They tell an answer from a recording. */
  readonly nonce: Uint8Array
  /** Proof over the content of the challenged blocks; see `proofOf`. */
  readonly proof: Uint8Array
}

export type Statement = Omit<Proven, 'encoded' | 'peer'>

/** DAG-CBOR `[1, body, signature]`, body = `[key, asker, cid, nonce, bytes, blocks, challenged, proof, at, term]`. */
export async function signAcknowledgement(statement: Statement, identity: Identity): Promise<Uint8Array> {
  const { asker, cid, nonce, bytes, blocks, challenged, proof, at, term } = statement
  const key = publicKeyFromPeerId(asker)
  const body = encode([identity.publicKey, key, cid, nonce, bytes, blocks, challenged, proof, at, term])
  return encode([version, body, await identity.sign(concatBytes(domain, body))])
}

/**
 * Checks the signed form of an acknowledgement and decodes it. It proves that the signer once made this statement to the
 * asking peer. To learn whether the content is still there, ask again with `data.reach`. Throws `INVALID_CONTENT`.
 *
 * @param cryptography - Only for the simulator.
 */
export async function verifyAcknowledgement(
  encoded: Uint8Array,
  cryptography: Cryptography = ed25519
): Promise<Acknowledgement> {
  const parsed = parseAcknowledgement(encoded)
  if (parsed === undefined) throw invalid('these bytes are no acknowledgement of this version')
  if (!(await isAuthentic(parsed, cryptography))) throw invalid('the signature of the acknowledgement does not match')
  const { nonce: _nonce, proof: _proof, ...said } = parsed.said
  return said
}

export async function isAuthentic({ key, body, signature }: Parsed, cryptography: Cryptography): Promise<boolean> {
  try {
    return await cryptography.verify(key, concatBytes(domain, body), signature)
  } catch {
    // A key that no implementation accepts.
    return false
  }
}

export interface Parsed {
  readonly said: Proven
  readonly key: Uint8Array<ArrayBuffer>
  readonly body: Uint8Array
  readonly signature: Uint8Array<ArrayBuffer>
}

/** `undefined` for anything that is not an acknowledgement. Never throws. */
export function parseAcknowledgement(encoded: Uint8Array): Parsed | undefined {
  if (!(encoded instanceof Uint8Array) || encoded.byteLength > maxLength) return undefined
  try {
    const outer: unknown = decode(encoded)
    if (!isTuple(outer, 3) || outer[0] !== version) return undefined
    const [, body, signature] = outer
    if (!isBytesOf(body) || !isBytesOf(signature, signatureLength)) return undefined
    const inner: unknown = decode(body)
    if (!isTuple(inner, 10)) return undefined
    const [key, asker, link, nonce, ...rest] = inner
    const [bytes, blocks, challenged, proof, at, term] = rest
    const cid = CID.asCID(link)
    if (!isBytesOf(key, publicKeyLength) || !isBytesOf(asker, publicKeyLength) || cid === null) return undefined
    if (cid.byteLength > maxCidLength || !isBytesOf(nonce, nonceLength) || !isBytesOf(proof, proofLength))
      return undefined
    if (!isCount(bytes) || !isCount(blocks) || !isCount(challenged) || !isCount(at) || !isCount(term)) return undefined
    const ids = { peer: peerIdFromPublicKey(key), asker: peerIdFromPublicKey(asker) }
    return { said: { ...ids, cid, nonce, bytes, blocks, challenged, proof, at, term, encoded }, key, body, signature }
  } catch {
    return undefined
  }
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation: 'verifyAcknowledgement', message })
}
