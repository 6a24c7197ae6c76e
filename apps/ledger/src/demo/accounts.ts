import { createHash } from 'node:crypto'
import { type Identity, identityFromSeed } from '@p2pl/core'

/** The three branches of the example's tool library: each runs a peer, witnesses, and pays. */
export const branches = ['alder', 'birch', 'cedar'] as const
export type Branch = (typeof branches)[number]

/** What each branch has in the beginning, in cents: more than it pays in all, so that no payment hangs on another's. */
export const initialBalance = 1_000_000n

/** The accounts that get paid. Their keys follow from their names, which is fit for an example and for nothing else. */
export const members = [
  'ada',
  'bruno',
  'chiara',
  'dov',
  'esi',
  'farid',
  'greta',
  'hana',
  'ines',
  'jonas',
  'kofi',
  'lena',
  'mateo',
  'nadia',
  'oskar',
  'priya',
  'quentin',
  'rosa',
  'samir',
  'tove',
  'umar',
  'vera',
  'wanda',
  'yusuf'
] as const

export async function memberIdentity(name: string): Promise<Identity> {
  return await identityFromSeed(createHash('sha256').update(`p2pl example account: ${name}`).digest())
}
