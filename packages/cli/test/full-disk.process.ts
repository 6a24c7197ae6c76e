// Fills the disk of its folder, and prints what the doctor says of it.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { p2pl, parse } from './launch.ts'

const dir = process.argv[2] ?? ''
try {
  for (;;) appendFileSync(join(dir, 'filler'), Buffer.alloc(65_536))
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
}
const { stdout, code } = await p2pl({ dir }, ['doctor', '--json'])
if (code !== 1) throw new Error(`exit code ${code}`)
process.stdout.write(JSON.stringify(parse(stdout)))
