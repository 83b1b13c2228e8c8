import { coatcheck } from 'coatcheck'

export const runtime = 'edge'

export function GET() {
  try {
    coatcheck()
    return Response.json({ code: null })
  } catch (error) {
    return Response.json({ code: error.code, fix: error.fix })
  }
}
