import { base10 } from 'multiformats/bases/base10'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32hex, base32hexupper, base32upper, base32z } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'

/** Every base that `peer.data` takes. */
const decoder = [
  base16,
  base16upper,
  base32upper,
  base32hex,
  base32hexupper,
  base32z,
  base36,
  base36upper,
  base58btc,
  base58flickr,
  base64,
  base64pad,
  base64url,
  base64urlpad
].reduce<ReturnType<typeof base32.decoder.or>>(
  (all, { decoder: one }) => all.or(one),
  base10.decoder.or(base32.decoder)
)
const maxLength = 16_384

/** Throws where the text is no CID in any base. */
export function parseCid(text: string): CID {
  if (text.length > maxLength) throw new Error(`a text of ${text.length} characters is no CID`)
  return CID.parse(text, decoder)
}
