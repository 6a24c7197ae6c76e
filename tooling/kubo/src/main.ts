import { runMain } from '@p2pl/tooling-go-tool'
import { kubo } from './ensure.ts'

await runMain(kubo)
