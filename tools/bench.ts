// The program behind `npm run bench`.
import '../bench/main.ts'
