import { base10 } from 'multiformats/bases/base10'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32hex, base32hexupper, base32upper, base32z } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import type { CidInput } from '../api/common.ts'
import { P2plError } from '../errors.ts'
import { describe } from '../toolbox/options.ts'

const decoder = [
  base16.decoder,
  base16upper.decoder,
  base32upper.decoder,
  base32hex.decoder,
  base32hexupper.decoder,
  base32z.decoder,
  base36.decoder,
  base36upper.decoder,
  base58btc.decoder,
  base58flickr.decoder,
  base64.decoder,
  base64pad.decoder,
  base64url.decoder,
  base64urlpad.decoder
].reduce<ReturnType<typeof base32.decoder.or>>((all, one) => all.or(one), base10.decoder.or(base32.decoder))
const maxTextLength = 16_384

/** Converts any form of a CID that callers have to a CID of this installation's multiformats. */
export function toCid(input: CidInput, operation: string): CID {
  if (typeof input !== 'string') {
    const cid = CID.asCID(input)
    if (cid !== null) return cid
    const holds = typeof input === 'object' && input !== null && 'cid' in input
    throw invalidCid(operation, `expected a CID or its text, not ${describe(input)}${holds ? ': give its "cid"' : ''}`)
  }
  if (input.length > maxTextLength) throw invalidCid(operation, `a text of ${input.length} characters is no CID`)
  try {
    return CID.parse(input, decoder)
  } catch (cause) {
    const hint = input.includes('/')
      ? ': give the CID alone; paths inside of a folder are read with the package @p2pl/unixfs'
      : ', for example bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    throw invalidCid(operation, `"${input.slice(0, 100)}" is no CID${hint}`, cause)
  }
}

function invalidCid(operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, message, cause })
}
