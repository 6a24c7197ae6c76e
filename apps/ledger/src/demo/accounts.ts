import { createHash } from 'node:crypto'
import { type Identity, identityFromSeed } from '@p2pl/core'

/** The three branches of the example's tool library. Each branch runs a peer, is a witness, and pays. */
export const branches = ['alder', 'birch', 'cedar'] as const
export type Branch = (typeof branches)[number]

/** The initial balance of each branch, in cents. It exceeds the total of its payments, so no payment depends on another. */
export const initialBalance = 1_000_000n

/** The accounts that receive payments. Their keys are derived from their names, which is suitable only for an example. */
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
