// better-auth on PostgreSQL as its documentation says, but for the hash: argon2id at the cost of Vestibule's default.
// Prints its address when it is ready.
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";
import manifest from "./package.json" with { type: "json" };

// Without `sslmode=prefer`, which pg takes for the wish to use TLS and nothing else.
const connectionString = process.env.DATABASE_URL.split("?")[0];
const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 };
const options = {
  baseURL: "http://localhost",
  secret: randomBytes(32).toString("base64"),
  database: new pg.Pool({ connectionString }),
  emailAndPassword: {
    enabled: true,
    // As with Vestibule, who registers is not logged in by that.
    autoSignIn: false,
    password: {
      hash: (password) => hash(password, cost),
      verify: ({ hash, password }) => verify(hash, password),
    },
  },
  plugins: [bearer()],
  // One client asks as often as it can.
  rateLimit: { enabled: false },
};

await (await getMigrations(options)).runMigrations();
const server = createServer(toNodeHandler(betterAuth(options)));
server.listen(0, "127.0.0.1", () => {
  const address = `127.0.0.1:${server.address().port}`;
  const packages = Object.entries(manifest.dependencies).map(([name, version]) => `${name} ${version}`);
  console.log(JSON.stringify({ address, versions: `${packages.join(", ")}, Node ${process.versions.node}` }));
});
