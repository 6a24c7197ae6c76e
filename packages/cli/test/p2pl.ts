// The program from its sources, as a process of its own.
import { main } from '../src/index.ts'

await main()
