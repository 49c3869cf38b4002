// Reads the files of a deployment by the code that Docker itself reads them with, without an engine and without a registry, and
// writes what they say as JSON:
//
//	read-deployment compose FILE     what `docker compose --profile '*' config` says, with variables from the environment
//	read-deployment dockerfile FILE  what `docker build --check` warns of, and the stages
//
// Exit code 1, and the reason on stderr, where a file is none of its kind.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	said, err := read(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(said)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(arguments []string) (any, error) {
	if len(arguments) != 2 {
		return nil, errors.New("usage: read-deployment compose|dockerfile FILE")
	}
	switch kind, file := arguments[0], arguments[1]; kind {
	case "compose":
		return readCompose(file)
	case "dockerfile":
		return readDockerfile(file)
	default:
		return nil, fmt.Errorf("no such kind of file: %s", kind)
	}
}

func readCompose(file string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithOsEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}
