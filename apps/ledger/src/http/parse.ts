import { LedgerError } from '../errors.ts'
import { checkKeys, parseAmount } from '../rules/fields.ts'
import type { EntryQuery, TransferInput } from '../service/service.ts'
import type { PeerView } from '../service/views.ts'

export function parseQuery(parameters: URLSearchParams): EntryQuery {
  for (const key of parameters.keys())
    if (!['limit', 'after', 'reverse', 'account'].includes(key))
      throw new LedgerError('INVALID_ARGUMENT', `unknown parameter "${key.slice(0, 40)}"`)
  const limit = parameters.get('limit')
  return {
    limit: limit === null ? undefined : Number(limit),
    after: parameters.get('after') ?? undefined,
    account: parameters.get('account') ?? undefined,
    reverse: ['true', '1', ''].includes(parameters.get('reverse') ?? 'false')
  }
}

export function parseTransfer(body: Record<string, unknown>): TransferInput {
  const map = checkKeys('the body', body, ['to', 'amount', 'memo', 'reference', 'force', 'sequence'])
  const { to, amount, memo, reference, force, sequence } = map
  if (typeof to !== 'string') throw new LedgerError('INVALID_ARGUMENT', 'to must be an account id (12D3KooW…)')
  const text = typeof amount === 'number' && Number.isSafeInteger(amount) ? String(amount) : amount
  if (typeof text !== 'string')
    throw new LedgerError('INVALID_ARGUMENT', 'amount must be a whole number, as decimal text when it is large')
  return {
    to,
    amount: parseAmount('amount', text),
    memo: optional('memo', memo, 'string'),
    reference: optional('reference', reference, 'string'),
    force: optional('force', force, 'boolean'),
    sequence: optional('sequence', sequence, 'number')
  }
}

export function parsePeer(body: Record<string, unknown>): PeerView {
  const { network, id, addresses } = checkKeys('the body', body, ['network', 'id', 'addresses'])
  if (typeof network !== 'string' || network.length > 64)
    throw new LedgerError('INVALID_ARGUMENT', 'network must be the name of a network, as "self" of a status gives it')
  if (typeof id !== 'string' || id.length > 256) throw new LedgerError('INVALID_ARGUMENT', 'id must be a peer id')
  const valid =
    Array.isArray(addresses) &&
    addresses.length <= 16 &&
    addresses.every((address) => typeof address === 'string' && address.length <= 512)
  if (!valid) throw new LedgerError('INVALID_ARGUMENT', 'addresses must be a list of at most 16 addresses')
  return { network, id, addresses: addresses as string[] }
}

interface Primitives {
  string: string
  boolean: boolean
  number: number
}

export function optional<T extends keyof Primitives>(
  field: string,
  value: unknown,
  type: T
): Primitives[T] | undefined {
  if (value === undefined) return undefined
  // oxlint-disable-next-line valid-typeof
  if (typeof value !== type) throw new LedgerError('INVALID_ARGUMENT', `${field} must be a ${type}`)
  return value as Primitives[T]
}
