import { runMain } from '@p2pl/tooling-go-tool'
import { natsServer } from './tool.ts'

await runMain(natsServer)
