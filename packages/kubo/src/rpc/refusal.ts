import { RpcStatusError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { redirectTarget } from './url.ts'

const maxErrorBytes = 16 * 1024
const maxTextLength = 1_000

/** The error in an answer with a status other than 200. `from`: the address that was asked. */
export async function refusal(
  answer: Answer,
  response: { readonly statusCode: number; readonly headers: Readonly<Record<string, string | string[] | undefined>> },
  from: string
): Promise<RpcStatusError> {
  const { statusCode, headers } = response
  const { location } = headers
  const text = (await answer.collect(maxErrorBytes)).toString('utf8').trim()
  return new RpcStatusError(
    statusCode,
    messageOf(text).slice(0, maxTextLength),
    typeof location === 'string' ? redirectTarget(location, from) : undefined
  )
}

function messageOf(text: string): string {
  if (!text.startsWith('{')) return text
  try {
    const { Message: message } = JSON.parse(text) as { Message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // Not Kubo's JSON, so the text itself is the best message.
  }
  return text
}
