import { render } from 'preact'
import { App } from './app.tsx'
import { startRouting } from './data/route.ts'
import { follow } from './data/stream.ts'
import { startTheme } from './data/theme.ts'

startTheme()
startRouting()
const place = document.getElementById('app')
if (place !== null) render(<App />, place)
void follow()
