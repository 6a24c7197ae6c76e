import { test } from 'vitest'
import { runSeeds } from './support/seeds.ts'

test(
  '50 peers: loss, duplication, partition, crash and late join end in equal digests',
  { timeout: 1_200_000 },
  async () => {
    await runSeeds(2)
  }
)
