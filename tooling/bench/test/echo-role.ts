import type { Role } from '../src/harness/child.ts'

export interface Echo {
  say(bytes: Uint8Array): Promise<Uint8Array>
  fail(): Promise<never>
  leave(): Promise<never>
}

const echo: Role<{ prefix: number }, Echo> = async ({ prefix }) => ({
  say: async (bytes) => Uint8Array.of(prefix, ...bytes),
  fail: async () => {
    throw new Error('as asked')
  },
  leave: () => process.exit(3)
})

export default echo
