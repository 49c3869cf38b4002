package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/opencontainers/go-digest"
)

type dockerfile struct {
	Warnings []lint.Warning `json:"warnings"`
	Stages   []stage        `json:"stages"`
	// The image that the last stage makes.
	Image any `json:"image"`
}

type stage struct {
	Name         string   `json:"name"`
	Base         string   `json:"base"`
	Instructions []string `json:"instructions"`
}

// A base image as it might be: what it says of itself does not matter here.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, digest.FromString(ref), []byte(`{"architecture":"amd64","os":"linux","config":{}}`), nil
}

func readDockerfile(file string) (*dockerfile, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	options := dockerfile2llb.ConvertOpt{
		MetaResolver: anyImage{},
		SourceMap:    &llb.SourceMap{Definition: &llb.Definition{}, Filename: file, Data: text},
	}
	linted, err := dockerfile2llb.DockerfileLint(ctx, text, options)
	if err != nil {
		return nil, err
	}
	if linted.Error != nil {
		return nil, errors.New(linted.Error.Message)
	}
	built, err := dockerfile2llb.Dockerfile2LLB(ctx, text, options)
	if err != nil {
		return nil, err
	}
	stages, err := stagesOf(text)
	return &dockerfile{Warnings: linted.Warnings, Stages: stages, Image: built.Image.Config}, err
}

func stagesOf(text []byte) ([]stage, error) {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	found, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	stages := []stage{}
	for _, one := range found {
		next := stage{Name: one.Name, Base: one.BaseName}
		for _, command := range one.Commands {
			next.Instructions = append(next.Instructions, fmt.Sprint(command))
		}
		stages = append(stages, next)
	}
	return stages, nil
}
